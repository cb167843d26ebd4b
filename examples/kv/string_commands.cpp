// GET SET MGET MSET INCR DECR INCRBY DECRBY STRLEN
#include <optional>

#include "examples/kv/command.h"

namespace kv {

using tandem::Local;
using tandem::make_string;
using tandem::String;

namespace {

void get(Call& call) {
  bool failed;
  const Local<Value> value = find_string(call, call.arguments[1], failed);
  if (failed) return;
  if (value)
    call.reply.bulk(value->string->view());
  else
    call.reply.null();
}

void mget(Call& call) {
  call.reply.array(call.arguments.size() - 1);
  for (std::size_t i = 1; i < call.arguments.size(); ++i) {
    const Local<Value> value = call.store().find(call.arguments[i]);
    if (value && value->string)
      call.reply.bulk(value->string->view());
    else
      call.reply.null();
  }
}

/// The values are made before the first of them is seen: the memory may not suffice for all.
void mset(Call& call) {
  if (call.arguments.size() % 2 == 0) return call.reply.error("ERR wrong number of arguments for 'mset' command");
  const std::size_t count = call.arguments.size() / 2;
  const Local<tandem::Array<StringRef>> values = tandem::make_array<StringRef>(count);
  for (std::size_t i = 0; i < count; ++i) (*values)[i] = make_string(call.arguments[2 * i + 2]);
  for (std::size_t i = 0; i < count; ++i) call.store().set_string(call.arguments[2 * i + 1], (*values)[i]);
  call.reply.ok();
}

/// What follows SET key value.
struct SetOptions {
  bool only_new = false, only_old = false, get = false, keep_expiry = false;
  std::optional<TimePoint> expiry;
};

/// EX or PX with its number. Nothing: there is an error in the reply.
std::optional<TimePoint> set_expiry(const Call& call, std::size_t index) {
  const std::optional<std::int64_t> amount = integer_argument(call, index + 1);
  if (!amount) return std::nullopt;
  const std::chrono::milliseconds unit(equals_word(call.arguments[index], "ex") ? 1000 : 1);
  const std::optional<TimePoint> time = *amount > 0 ? time_from_now(*amount, unit) : std::nullopt;
  if (!time) call.reply.error("ERR invalid expire time in 'set' command");
  return time;
}

/// Nothing: there is an error in the reply.
std::optional<SetOptions> set_options(const Call& call) {
  SetOptions options;
  for (std::size_t i = 3; i < call.arguments.size(); ++i) {
    const std::string_view word = call.arguments[i];
    if (equals_word(word, "nx")) {
      options.only_new = true;
    } else if (equals_word(word, "xx")) {
      options.only_old = true;
    } else if (equals_word(word, "get")) {
      options.get = true;
    } else if (equals_word(word, "keepttl")) {
      options.keep_expiry = true;
    } else if ((equals_word(word, "ex") || equals_word(word, "px")) && i + 1 < call.arguments.size() &&
               !options.expiry) {
      options.expiry = set_expiry(call, i++);
      if (!options.expiry) return std::nullopt;
    } else {
      call.reply.error(kSyntaxError);
      return std::nullopt;
    }
  }
  if ((options.only_new && options.only_old) || (options.keep_expiry && options.expiry)) {
    call.reply.error(kSyntaxError);
    return std::nullopt;
  }
  return options;
}

void set_with_options(Call& call) {
  const std::optional<SetOptions> options = set_options(call);
  if (!options) return;
  const std::string_view key = call.arguments[1];
  const Local<Value> old = call.store().find(key);
  if (options->get) {
    if (old && !old->string) return call.reply.error(kWrongType);
    if (old)
      call.reply.bulk(old->string->view());
    else
      call.reply.null();
  }
  if (old ? options->only_new : options->only_old) {
    if (!options->get) call.reply.null();
    return;
  }
  std::optional<TimePoint> expiry = options->expiry;
  if (options->keep_expiry && old && old->expiry) expiry = old->expiry->time;
  const Local<Value> value = call.store().set_string(key, make_string(call.arguments[2]));
  if (expiry) call.store().expire_at(key, value, *expiry);
  if (!options->get) call.reply.ok();
}

void set(Call& call) {
  if (call.arguments.size() > 3) return set_with_options(call);
  call.store().set_string(call.arguments[1], make_string(call.arguments[2]));
  call.reply.ok();
}

/// The expiry stays.
void add(Call& call, std::int64_t amount) {
  const std::string_view key = call.arguments[1];
  bool failed;
  const Local<Value> value = find_string(call, key, failed);
  if (failed) return;
  const std::optional<std::int64_t> number = value ? parse_integer(value->string->view()) : 0;
  if (!number) return call.reply.error(kNotAnInteger);
  std::int64_t sum;
  if (__builtin_add_overflow(*number, amount, &sum))
    return call.reply.error("ERR increment or decrement would overflow");
  const Local<String> text = make_string(IntegerText(sum).view());
  if (value)
    value->string = text;
  else
    call.store().set_string(key, text);
  call.reply.integer(sum);
}

void incr(Call& call) { add(call, 1); }
void decr(Call& call) { add(call, -1); }
void incrby(Call& call) {
  if (const std::optional<std::int64_t> amount = integer_argument(call, 2)) add(call, *amount);
}
void decrby(Call& call) {
  const std::optional<std::int64_t> amount = integer_argument(call, 2);
  if (!amount) return;
  if (*amount == INT64_MIN) return call.reply.error("ERR decrement would overflow");
  add(call, -*amount);
}

void strlen(Call& call) {
  bool failed;
  const Local<Value> value = find_string(call, call.arguments[1], failed);
  if (!failed) call.reply.integer(value ? static_cast<std::int64_t>(value->string->size()) : 0);
}

constexpr Command kCommands[] = {
    {"decr", 2, 1, 1, 1, &decr},   {"decrby", 3, 1, 1, 1, &decrby}, {"get", 2, 1, 1, 1, &get},
    {"incr", 2, 1, 1, 1, &incr},   {"incrby", 3, 1, 1, 1, &incrby}, {"mget", -2, 1, -1, 1, &mget},
    {"mset", -3, 1, -1, 2, &mset}, {"set", -3, 1, 1, 1, &set},      {"strlen", 2, 1, 1, 1, &strlen},
};

}  // namespace

std::span<const Command> string_commands() { return kCommands; }

}  // namespace kv
