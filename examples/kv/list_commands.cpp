// LPUSH RPUSH LPOP RPOP LRANGE LLEN
#include <algorithm>
#include <optional>

#include "examples/kv/command.h"

namespace kv {

using tandem::Local;
using tandem::make_string;
using tandem::String;

namespace {

/// All or nothing: what is pushed is taken back if the memory does not suffice for the rest, and a new list is no key before
/// it is whole.
void push(Call& call, void (List::*push_one)(const Local<String>&), Local<String> (List::*pop_one)()) {
  const std::string_view key = call.arguments[1];
  bool failed;
  const Local<Value> value = find_list(call, key, failed);
  if (failed) return;
  const Local<List> list = value ? value->list.get() : tandem::make<List>();
  std::size_t pushed = 0;
  try {
    for (; pushed < call.arguments.size() - 2; ++pushed) ((*list).*push_one)(make_string(call.arguments[pushed + 2]));
  } catch (...) {
    for (; pushed != 0; --pushed) ((*list).*pop_one)();
    throw;
  }
  if (!value) call.store().set_list(key, list);
  call.reply.integer(static_cast<std::int64_t>(list->size()));
}

void lpush(Call& call) { push(call, &List::push_front, &List::pop_front); }
void rpush(Call& call) { push(call, &List::push_back, &List::pop_back); }

/// Nothing is popped before the reply is written: it may be too large. A list that has become empty is a key no more.
void pop(Call& call, bool at_front) {
  std::optional<std::int64_t> count = 1;
  const bool as_array = call.arguments.size() > 2;
  if (call.arguments.size() > 3)
    return call.reply.error(at_front ? "ERR wrong number of arguments for 'lpop' command"
                                     : "ERR wrong number of arguments for 'rpop' command");
  if (as_array) {
    count = parse_integer(call.arguments[2]);
    if (!count || *count < 0) return call.reply.error("ERR value is out of range, must be positive");
  }
  bool failed;
  const Local<Value> value = find_list(call, call.arguments[1], failed);
  if (failed) return;
  if (!value || value->list->size() == 0) return as_array ? call.reply.raw("*-1\r\n") : call.reply.null();
  const Local<List> list = value->list;
  const std::size_t size = list->size(), popped = std::min(static_cast<std::size_t>(*count), size);
  if (as_array) call.reply.array(popped);
  for (std::size_t i = 0; i < popped; ++i) call.reply.bulk((*list)[at_front ? i : size - 1 - i]->view());
  for (std::size_t i = 0; i < popped; ++i) at_front ? list->pop_front() : list->pop_back();
  if (popped == size) call.store().erase(call.arguments[1]);
}

void lpop(Call& call) { pop(call, true); }
void rpop(Call& call) { pop(call, false); }

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
  // Both from 0 to size, so that their difference can be represented.
  const std::int64_t begin = std::clamp<std::int64_t>(*first < 0 ? *first + size : *first, 0, size);
  const std::int64_t end = std::clamp<std::int64_t>(*last < 0 ? *last + size : *last, -1, size - 1) + 1;
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
