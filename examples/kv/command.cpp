#include "examples/kv/command.h"

#include <algorithm>
#include <array>
#include <vector>

namespace kv {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::vector<Command> collect_commands() {
  std::vector<Command> all;
  for (const auto commands : {string_commands(), list_commands(), key_commands(), server_commands()})
    all.insert(all.end(), commands.begin(), commands.end());
  std::sort(all.begin(), all.end(), [](const Command& a, const Command& b) { return a.name < b.name; });
  return all;
}

/// What a client may see of its own text: printable, short.
std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text.substr(0, 128)) result += c >= ' ' && c <= '~' ? c : ' ';
  return result + "'";
}

std::string unknown_command(const Arguments& arguments) {
  std::string text = "ERR unknown command " + quoted(arguments[0]) + ", with args beginning with: ";
  for (std::size_t i = 1; i < arguments.size() && text.size() < 256; ++i) text += quoted(arguments[i]) + " ";
  return text;
}

bool takes(const Command& command, std::size_t arguments) {
  const auto count = static_cast<std::int64_t>(arguments);
  return command.arity >= 0 ? count == command.arity : count >= -command.arity;
}

LockSet locks_of(const Command& command, const Arguments& arguments) {
  if (command.first_key == 0) return 0;
  const std::size_t last = command.last_key >= 0 ? static_cast<std::size_t>(command.last_key)
                                                 : arguments.size() - static_cast<std::size_t>(-command.last_key);
  LockSet locks = 0;
  for (auto i = static_cast<std::size_t>(command.first_key); i <= last; i += static_cast<std::size_t>(command.key_step))
    locks |= Store::lock_of(arguments[i]);
  return locks;
}

}  // namespace

std::span<const Command> all_commands() {
  static const std::vector<Command> commands = collect_commands();
  return commands;
}

bool equals_word(std::string_view word, std::string_view lower_word) {
  return std::equal(word.begin(), word.end(), lower_word.begin(), lower_word.end(),
                    [](char a, char b) { return lower(a) == b; });
}

const Command* find_command(std::string_view name) {
  std::array<char, 16> lowered;
  if (name.size() > lowered.size()) return nullptr;
  std::transform(name.begin(), name.end(), lowered.begin(), lower);
  const std::string_view wanted(lowered.data(), name.size());
  const std::span<const Command> commands = all_commands();
  const auto found =
      std::lower_bound(commands.begin(), commands.end(), wanted,
                       [](const Command& command, std::string_view text) { return command.name < text; });
  return found != commands.end() && found->name == wanted ? &*found : nullptr;
}

bool execute(const Arguments& arguments, Server& server, std::string& output) {
  Reply reply(output);
  bool quit = false;
  Call call{arguments, reply, server, quit};
  const Command* const command = find_command(arguments[0]);
  if (command == nullptr) {
    reply.error(unknown_command(arguments));
  } else if (!takes(*command, arguments.size())) {
    reply.error("ERR wrong number of arguments for '" + std::string(command->name) + "' command");
  } else {
    try {
      const Store::Locked locked(*server.store, locks_of(*command, arguments));
      command->execute(call);
    } catch (const ReplyTooLarge&) {
      reply.discard();
      reply.error("ERR the reply would be too large");
    } catch (const std::bad_alloc&) {
      reply.discard();
      reply.error("OOM command not allowed when used memory > 'maxmemory'.");
    }
  }
  return !quit;
}

tandem::Local<Value> find_string(const Call& call, std::string_view key, bool& failed) {
  tandem::Local<Value> value = call.store().find(key);
  failed = value && !value->string;
  if (failed) call.reply.error(kWrongType);
  return value;
}

tandem::Local<Value> find_list(const Call& call, std::string_view key, bool& failed) {
  tandem::Local<Value> value = call.store().find(key);
  failed = value && !value->list;
  if (failed) call.reply.error(kWrongType);
  return value;
}

std::optional<std::int64_t> integer_argument(const Call& call, std::size_t index) {
  const std::optional<std::int64_t> value = parse_integer(call.arguments[index]);
  if (!value) call.reply.error(kNotAnInteger);
  return value;
}

std::optional<TimePoint> time_from_now(std::int64_t amount, std::chrono::milliseconds unit) {
  const TimePoint now = tandem::this_goroutine::now();
  const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(TimePoint::max() - now) / 2;
  if (amount > most / unit || amount < -(most / unit)) return std::nullopt;
  return now + amount * unit;
}

}  // namespace kv
