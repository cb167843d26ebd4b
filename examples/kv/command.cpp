#include "examples/kv/command.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace kv {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// A name of at most eight letters in any case, as a number that compares as the names do; 0 for a longer one.
std::uint64_t packed(std::string_view name) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i)
    number = number << 8 | (i < name.size() ? static_cast<unsigned char>(lower(name[i])) : 0);
  return name.size() <= 8 ? number : 0;
}

struct Table {
  std::vector<Command> commands;     // in the order of their names
  std::vector<std::uint64_t> names;  // packed
};

Table collect_commands() {
  Table table;
  std::vector<Command>& all = table.commands;
  for (const auto commands : {string_commands(), list_commands(), key_commands(), server_commands()})
    all.insert(all.end(), commands.begin(), commands.end());
  std::sort(all.begin(), all.end(), [](const Command& a, const Command& b) { return a.name < b.name; });
  for (const Command& command : all) table.names.push_back(packed(command.name));
  return table;
}

const Table& table() {
  static const Table collected = collect_commands();
  return collected;
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

/// Calls visit(key) for each argument that is a key, `most` at most.
template <class Visit>
void for_each_key(const Command& command, const Arguments& arguments, std::size_t most, Visit visit) {
  if (command.first_key == 0) return;
  const std::size_t last = command.last_key >= 0 ? static_cast<std::size_t>(command.last_key)
                                                 : arguments.size() - static_cast<std::size_t>(-command.last_key);
  auto i = static_cast<std::size_t>(command.first_key);
  for (; i <= last && most != 0; i += static_cast<std::size_t>(command.key_step), --most) visit(arguments[i]);
}

LockSet locks_of(const Command& command, const Arguments& arguments) {
  LockSet locks = 0;
  for_each_key(command, arguments, arguments.size(), [&](std::string_view key) { locks |= Store::lock_of(key); });
  return locks;
}

/// Each key leads to some ten cache lines, and half of the first-level cache is theirs.
constexpr std::size_t kKeysAhead = 32;

/// What the keys of a command lead to is on its way when the command begins. Of a single key it would not be earlier.
void prefetch_keys(const Command& command, const Arguments& arguments, const Store& store) {
  if (command.last_key == command.first_key) return;
  for_each_key(command, arguments, kKeysAhead, [&](std::string_view key) { store.prefetch(key); });
  for_each_key(command, arguments, kKeysAhead, [&](std::string_view key) { store.prefetch_entry(key); });
}

}  // namespace

std::span<const Command> all_commands() { return table().commands; }

bool equals_word(std::string_view word, std::string_view lower_word) {
  return std::equal(word.begin(), word.end(), lower_word.begin(), lower_word.end(),
                    [](char a, char b) { return lower(a) == b; });
}

const Command* find_command(std::string_view name) {
  const std::vector<std::uint64_t>& names = table().names;
  const std::uint64_t wanted = packed(name);
  const auto found = std::lower_bound(names.begin(), names.end(), wanted);
  if (found == names.end() || *found != wanted) return nullptr;
  const Command& command = table().commands[static_cast<std::size_t>(found - names.begin())];
  return command.name.size() == name.size() ? &command : nullptr;  // zero bytes behind a name are no part of it
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
      prefetch_keys(*command, arguments, *server.store);
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
  using std::chrono::duration_cast, std::chrono::milliseconds;
  std::int64_t count;
  if (__builtin_mul_overflow(amount, unit.count(), &count)) return std::nullopt;
  const auto since_1970 = duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  if (count > INT64_MAX - since_1970.count()) return std::nullopt;
  const TimePoint now = tandem::this_goroutine::now();
  const auto most = duration_cast<milliseconds>(TimePoint::max() - now) / 2;  // the rest is for who adds to it later
  return now + std::clamp(milliseconds(count), -most, most);
}

}  // namespace kv
