// LPUSH RPUSH LPOP RPOP LRANGE LLEN
#include <algorithm>
#include <optional>

#include "examples/kv/command.h"

namespace kv {

using tandem::Local;
using tandem::make_string;
using tandem::String;

namespace {

void push(Call& call, void (List::*push_one)(const Local<String>&)) {
  const std::string_view key = call.arguments[1];
  bool failed;
  const Local<Value> value = find_list(call, key, failed);
  if (failed) return;
  const Local<List> list = value ? value->list.get() : tandem::make<List>();
  if (!value) call.store().set_list(key, list);
  for (std::size_t i = 2; i < call.arguments.size(); ++i) ((*list).*push_one)(make_string(call.arguments[i]));
  call.reply.integer(static_cast<std::int64_t>(list->size()));
}

void lpush(Call& call) { push(call, &List::push_front); }
void rpush(Call& call) { push(call, &List::push_back); }

/// A list that has become empty is a key no more.
void pop(Call& call, Local<String> (List::*pop_one)()) {
  std::optional<std::int64_t> count = 1;
  const bool as_array = call.arguments.size() > 2;
  if (call.arguments.size() > 3) return call.reply.error(kSyntaxError);
  if (as_array) {
    count = parse_integer(call.arguments[2]);
    if (!count || *count < 0) return call.reply.error("ERR value is out of range, must be positive");
  }
  bool failed;
  const Local<Value> value = find_list(call, call.arguments[1], failed);
  if (failed) return;
  if (!value) return as_array ? call.reply.raw("*-1\r\n") : call.reply.null();
  const Local<List> list = value->list;
  const std::size_t popped = std::min(static_cast<std::size_t>(*count), list->size());
  if (as_array) call.reply.array(popped);
  for (std::size_t i = 0; i < popped; ++i) call.reply.bulk(((*list).*pop_one)()->view());
  if (list->size() == 0) call.store().erase(call.arguments[1]);
}

void lpop(Call& call) { pop(call, &List::pop_front); }
void rpop(Call& call) { pop(call, &List::pop_back); }

void lrange(Call& call) {
  const std::optional<std::int64_t> first = integer_argument(call, 2);
  if (!first) return;
  const std::optional<std::int64_t> last = integer_argument(call, 3);
  if (!last) return;
  bool failed;
  const Local<Value> value = find_list(call, call.arguments[1], failed);
  if (failed) return;
  if (!value) return call.reply.array(0);
  const Local<List> list = value->list;
  const auto size = static_cast<std::int64_t>(list->size());
  const std::int64_t begin = std::max<std::int64_t>(*first < 0 ? *first + size : *first, 0);
  const std::int64_t end = std::min(*last < 0 ? *last + size : *last, size - 1) + 1;
  call.reply.array(static_cast<std::size_t>(std::max<std::int64_t>(end - begin, 0)));
  for (std::int64_t i = begin; i < end; ++i) call.reply.bulk((*list)[static_cast<std::size_t>(i)]->view());
}

void llen(Call& call) {
  bool failed;
  const Local<Value> value = find_list(call, call.arguments[1], failed);
  if (!failed) call.reply.integer(value ? static_cast<std::int64_t>(value->list->size()) : 0);
}

constexpr Command kCommands[] = {
    {"llen", 2, 1, 1, 1, &llen},     {"lpop", -2, 1, 1, 1, &lpop}, {"lpush", -3, 1, 1, 1, &lpush},
    {"lrange", 4, 1, 1, 1, &lrange}, {"rpop", -2, 1, 1, 1, &rpop}, {"rpush", -3, 1, 1, 1, &rpush},
};

}  // namespace

std::span<const Command> list_commands() { return kCommands; }

}  // namespace kv
