// DEL EXISTS TYPE EXPIRE PEXPIRE TTL PTTL PERSIST DBSIZE FLUSHALL FLUSHDB SCAN
#include <algorithm>
#include <chrono>
#include <optional>

#include "examples/kv/command.h"
#include "examples/kv/glob.h"

namespace kv {

using std::chrono::milliseconds;
using tandem::Local;

namespace {

void del(Call& call) {
  std::int64_t deleted = 0;
  for (std::size_t i = 1; i < call.arguments.size(); ++i) deleted += call.store().erase(call.arguments[i]);
  call.reply.integer(deleted);
}

void exists(Call& call) {
  std::int64_t found = 0;
  for (std::size_t i = 1; i < call.arguments.size(); ++i)
    found += static_cast<bool>(call.store().find(call.arguments[i]));
  call.reply.integer(found);
}

std::string_view type_of(const Local<Value>& value) { return value->list ? "list" : "string"; }

void type(Call& call) {
  const Local<Value> value = call.store().find(call.arguments[1]);
  call.reply.simple(value ? type_of(value) : "none");
}

void expire_in(Call& call, milliseconds unit) {
  const std::optional<std::int64_t> amount = integer_argument(call, 2);
  if (!amount) return;
  const std::optional<TimePoint> time = time_from_now(*amount, unit);
  if (!time)
    return call.reply.error(unit.count() == 1 ? "ERR invalid expire time in 'pexpire' command"
                                              : "ERR invalid expire time in 'expire' command");
  const std::string_view key = call.arguments[1];
  const Local<Value> value = call.store().find(key);
  if (value && *amount <= 0)
    call.store().erase(key);
  else if (value)
    call.store().expire_at(key, value, *time);
  call.reply.integer(static_cast<bool>(value));
}

void expire(Call& call) { expire_in(call, milliseconds(1000)); }
void pexpire(Call& call) { expire_in(call, milliseconds(1)); }

void time_left(Call& call, milliseconds unit) {
  const Local<Value> value = call.store().find(call.arguments[1]);
  if (!value) return call.reply.integer(-2);
  if (!value->expiry) return call.reply.integer(-1);
  const auto left = std::chrono::ceil<milliseconds>(value->expiry->time - tandem::this_goroutine::now());
  call.reply.integer((left + unit / 2) / unit);  // rounded
}

void ttl(Call& call) { time_left(call, milliseconds(1000)); }
void pttl(Call& call) { time_left(call, milliseconds(1)); }

void persist(Call& call) {
  const Local<Value> value = call.store().find(call.arguments[1]);
  call.reply.integer(value && Store::persist(value));
}

void dbsize(Call& call) {
  const Store::Locked locked(call.store(), Store::kAllLocks);
  call.reply.integer(static_cast<std::int64_t>(call.store().size()));
}

/// ASYNC and SYNC are the same here: the collector frees.
void flushall(Call& call) {
  if (call.arguments.size() > 2 || (call.arguments.size() == 2 && !equals_word(call.arguments[1], "async") &&
                                    !equals_word(call.arguments[1], "sync")))
    return call.reply.error(kSyntaxError);
  const Store::Locked locked(call.store(), Store::kAllLocks);
  call.store().clear();
  call.reply.ok();
}

struct ScanOptions {
  std::string_view pattern = "*", type;
  std::size_t count = 10;
};

/// Nothing: there is an error in the reply.
std::optional<ScanOptions> scan_options(const Call& call) {
  ScanOptions options;
  for (std::size_t i = 2; i < call.arguments.size(); i += 2) {
    const std::string_view word = call.arguments[i];
    std::optional<std::int64_t> count = 1;
    if (i + 1 == call.arguments.size()) {
      count = 0;
    } else if (equals_word(word, "match")) {
      options.pattern = call.arguments[i + 1];
    } else if (equals_word(word, "type")) {
      options.type = call.arguments[i + 1];
    } else if (equals_word(word, "count")) {
      count = integer_argument(call, i + 1);
      if (!count) return std::nullopt;
      options.count = static_cast<std::size_t>(std::max<std::int64_t>(*count, 1));
    } else {
      count = 0;
    }
    if (*count < 1) {
      call.reply.error(kSyntaxError);
      return std::nullopt;
    }
  }
  return options;
}

/// The cursor is the number of the bucket where to go on. COUNT is how many keys are looked at, rounded up to whole
/// buckets.
void scan(Call& call) {
  const std::optional<std::int64_t> cursor = parse_integer(call.arguments[1]);
  if (!cursor || *cursor < 0) return call.reply.error("ERR invalid cursor");
  const std::optional<ScanOptions> options = scan_options(call);
  if (!options) return;
  std::string text;
  Reply keys(text);
  std::size_t seen = 0, returned = 0;
  auto bucket = static_cast<std::size_t>(*cursor);
  for (; bucket < Store::kBuckets && seen < options->count; ++bucket) {
    if (!call.store().may_have_keys(bucket)) continue;
    const Store::Locked locked(call.store(), Store::lock_of_bucket(bucket));
    call.store().for_each(bucket, [&](std::string_view key, const Local<Value>& value) {
      ++seen;
      if (!options->type.empty() && !equals_word(options->type, type_of(value))) return;
      if (!matches_glob(options->pattern, key)) return;
      ++returned;
      keys.bulk(key);
    });
  }
  call.reply.array(2);
  call.reply.bulk(IntegerText(bucket < Store::kBuckets ? static_cast<std::int64_t>(bucket) : 0).view());
  call.reply.array(returned);
  call.reply.raw(text);
}

constexpr Command kCommands[] = {
    {"dbsize", 1, 0, 0, 0, &dbsize},
    {"del", -2, 1, -1, 1, &del},
    {"exists", -2, 1, -1, 1, &exists},
    {"expire", 3, 1, 1, 1, &expire},
    {"flushall", -1, 0, 0, 0, &flushall},
    {"flushdb", -1, 0, 0, 0, &flushall},
    {"persist", 2, 1, 1, 1, &persist},
    {"pexpire", 3, 1, 1, 1, &pexpire},
    {"pttl", 2, 1, 1, 1, &pttl},
    {"scan", -2, 0, 0, 0, &scan},
    {"ttl", 2, 1, 1, 1, &ttl},
    {"type", 2, 1, 1, 1, &type},
    {"unlink", -2, 1, -1, 1, &del},
};

}  // namespace

std::span<const Command> key_commands() { return kCommands; }

}  // namespace kv
