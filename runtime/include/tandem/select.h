#pragma once
/// \file
/// select: waits for whichever of several channel operations can go on first, as Go's select statement.
///
/// \code
///   tandem::select(
///       tandem::on_receive(requests, [&](std::optional<int> request) { if (request) serve(*request); }),
///       tandem::on_send(results, 42, [] { std::puts("sent"); }),
///       tandem::on_timeout(std::chrono::seconds(1), [] { std::puts("nothing for a second"); }));
/// \endcode
///
/// Among several ready cases the choice is uniform at random. A null channel is never ready. Handlers are
/// optional and run after the choice, without any lock; what they throw leaves select.

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "tandem/channel.h"
#include "tandem/detail/duration.h"
#include "tandem/detail/select_case.h"
#include "tandem/detail/select_core.h"

namespace tandem {

/// A case that receives from `channel` (a Local, Member or Persistent to a Channel<T>). The handler takes
/// std::optional<R(T)>: nullopt when the channel is closed and drained.
template <class Reference, class Handler = detail::NoHandler>
auto on_receive(const Reference& channel, Handler&& handler = {}) {
  using T = detail::ElementOf<Reference>;
  return detail::ReceiveCase<T, std::decay_t<Handler>>(Local<Channel<T>>(channel), std::forward<Handler>(handler));
}

/// A case that sends `value` to `channel`. The handler takes nothing. If the case is taken because the
/// channel is closed, select throws ChannelClosed.
template <class Reference, class Handler = detail::NoHandler>
auto on_send(const Reference& channel, detail::RootedForm<detail::ElementOf<Reference>> value, Handler&& handler = {}) {
  using T = detail::ElementOf<Reference>;
  return detail::SendCase<T, std::decay_t<Handler>>(Local<Channel<T>>(channel), std::move(value),
                                                    std::forward<Handler>(handler));
}

/// A case that is taken when no other has become ready for `duration` (any std::chrono duration; zero or
/// less: at once). Never early. Of several the shortest counts.
template <class Duration, class Handler = detail::NoHandler>
auto on_timeout(const Duration& duration, Handler&& handler = {}) {
  return detail::TimeoutCase<std::decay_t<Handler>>(detail::saturated_ns(duration), std::forward<Handler>(handler));
}

/// The case that is taken at once when no other is ready: with it, select does not wait. Of several the first
/// counts.
template <class Handler = detail::NoHandler>
auto otherwise(Handler&& handler = {}) {
  return detail::OtherwiseCase<std::decay_t<Handler>>(std::forward<Handler>(handler));
}

/// Takes one of `cases` and returns its index, in argument order. Parks the goroutine while none is ready;
/// with no case at all, for ever. On a goroutine only. Throws Cancelled while it waits, ChannelClosed (see
/// on_send), and what the handler throws.
template <detail::SelectableCase... Cases>
std::size_t select(Cases&&... cases) {
  constexpr std::size_t kCount = sizeof...(Cases);
  // One more than needed, for select() without cases.
  detail::SelectCase table[kCount + 1];
  detail::ChannelCore* channels[kCount + 1];
  std::uint32_t ready[kCount + 1];

  std::size_t index = 0;
  (cases.describe(table[index++]), ...);
  const detail::SelectResult taken = detail::select_core(table, kCount, {channels, ready});
  index = 0;
  ((index++ == taken.index ? cases.run(taken.result) : void()), ...);
  return taken.index;
}

}  // namespace tandem

#include "tandem/selector.h"
