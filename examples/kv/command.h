#pragma once
// Commands: what there are, and how one is executed.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "examples/kv/reply.h"
#include "examples/kv/request_parser.h"
#include "examples/kv/store.h"

namespace kv {

/// What all connections share. Lies in the frame of the goroutine that serves, which outlives them.
struct Server {
  const tandem::Local<Store> store = tandem::make<Store>();
  const TimePoint started = tandem::this_goroutine::now();
  std::atomic<std::uint64_t> clients{0};
  std::atomic<std::uint64_t> commands{0};
  /// Who does not read its answers for so long is let go.
  std::chrono::milliseconds write_timeout = std::chrono::seconds(60);
};

/// One command under execution.
struct Call {
  const Arguments& arguments;  // [0] is the name
  Reply& reply;
  Server& server;
  bool& quit;  // to be set when the connection is to be closed

  Store& store() const { return *server.store; }
};

struct Command {
  std::string_view name;  // in lower case, eight letters at most
  int arity;              // arguments, the name included; negative: at least so many
  // Which arguments are keys, as Redis tells it: the first one, the last one (negative: counted from the end), and the
  // distance between two; 0: none. Their locks are held during the call.
  int first_key, last_key, key_step;
  void (*execute)(Call& call);
};

// By what they work on.
std::span<const Command> string_commands();
std::span<const Command> list_commands();
std::span<const Command> key_commands();
std::span<const Command> server_commands();

/// All of them, in the order of their names.
std::span<const Command> all_commands();
/// In any case of letters; null: unknown.
const Command* find_command(std::string_view name);

/// Executes a request that is not empty, and appends the answer to `output`. False: the connection is to be closed
/// after it.
bool execute(const Arguments& arguments, Server& server, std::string& output);

// What several commands need.

/// Are the two equal but for the case of letters? `lower` is in lower case.
bool equals_word(std::string_view word, std::string_view lower);

/// The value of a key that is a string, or a list; null if there is none. Says so in the reply and sets `failed` if it
/// is of the other kind.
tandem::Local<Value> find_string(const Call& call, std::string_view key, bool& failed);
tandem::Local<Value> find_list(const Call& call, std::string_view key, bool& failed);

/// The integer in an argument; an error in the reply, and nothing, if it is none.
std::optional<std::int64_t> integer_argument(const Call& call, std::size_t index);

/// `amount` of `unit` from now; nothing if Redis, which counts the milliseconds since 1970 in 64 bits, could not represent it.
/// What this server cannot, with its nanoseconds, is as far away as it can.
std::optional<TimePoint> time_from_now(std::int64_t amount, std::chrono::milliseconds unit);

inline constexpr std::string_view kWrongType = "WRONGTYPE Operation against a key holding the wrong kind of value";
inline constexpr std::string_view kNotAnInteger = "ERR value is not an integer or out of range";
inline constexpr std::string_view kSyntaxError = "ERR syntax error";

}  // namespace kv
