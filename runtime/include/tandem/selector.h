#pragma once
/// \file
/// Selector: select for a number of cases that is known only at run time. Part of select.h.
///
/// \code
///   tandem::Selector selector;
///   for (const auto& source : sources)
///     selector.on_receive(source, [&](std::optional<int> value) { use(value); });
///   selector.on_timeout(std::chrono::seconds(1));
///   const std::size_t index = selector.select();
/// \endcode

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "tandem/detail/closure_cell.h"
#include "tandem/detail/duration.h"
#include "tandem/detail/select_case.h"
#include "tandem/detail/select_core.h"

namespace tandem {

/// A list of cases, each as the free function of the same name makes it, in the order in which they are
/// added. On goroutines only. select() may be called again and again; a value that was sent is sent again if it can be copied,
/// otherwise its case is done for. Used by one goroutine, on its stack or anywhere else; cases may hold
/// Locals. Adding throws std::bad_alloc.
class Selector {
 public:
  Selector() = default;
  Selector(Selector&&) noexcept = default;
  Selector& operator=(Selector&&) noexcept = default;

  template <class Reference, class Handler = detail::NoHandler>
  Selector& on_receive(const Reference& channel, Handler&& handler = {}) {
    using T = detail::ElementOf<Reference>;
    return add<detail::ReceiveCase<T, std::decay_t<Handler>>>(Local<Channel<T>>(channel),
                                                              std::forward<Handler>(handler));
  }
  template <class Reference, class Handler = detail::NoHandler>
  Selector& on_send(const Reference& channel, detail::RootedForm<detail::ElementOf<Reference>> value,
                    Handler&& handler = {}) {
    using T = detail::ElementOf<Reference>;
    return add<detail::RepeatedSendCase<T, std::decay_t<Handler>>>(Local<Channel<T>>(channel), std::move(value),
                                                                   std::forward<Handler>(handler));
  }
  template <class Duration, class Handler = detail::NoHandler>
  Selector& on_timeout(const Duration& duration, Handler&& handler = {}) {
    return add<detail::TimeoutCase<std::decay_t<Handler>>>(detail::saturated_ns(duration),
                                                           std::forward<Handler>(handler));
  }
  template <class Handler = detail::NoHandler>
  Selector& otherwise(Handler&& handler = {}) {
    return add<detail::OtherwiseCase<std::decay_t<Handler>>>(std::forward<Handler>(handler));
  }

  std::size_t size() const noexcept { return entries_.size(); }
  void clear() noexcept { entries_.clear(); }

  /// As the free select(): takes one case, runs its handler and returns its index.
  std::size_t select() {
    const std::size_t count = entries_.size();
    table_.resize(count + 1);
    channels_.resize(count + 1);
    ready_.resize(count + 1);
    for (std::size_t i = 0; i < count; ++i) entries_[i].describe(entries_[i].cell.get(), table_[i]);
    const detail::SelectResult taken =
        detail::select_core(table_.data(), static_cast<std::uint32_t>(count), {channels_.data(), ready_.data()});
    entries_[taken.index].run(entries_[taken.index].cell.get(), taken.result);
    return taken.index;
  }

 private:
  struct Entry {
    detail::ClosureCell cell;  // holds the typed case
    void (*describe)(void* typed, detail::SelectCase& entry);
    void (*run)(void* typed, detail::ChannelResult result);
  };

  template <class Case, class... Arguments>
  Selector& add(Arguments&&... arguments) {
    entries_.push_back({detail::ClosureCell::make<Case>("case of a Selector", std::forward<Arguments>(arguments)...),
                        [](void* typed, detail::SelectCase& entry) { static_cast<Case*>(typed)->describe(entry); },
                        [](void* typed, detail::ChannelResult result) { static_cast<Case*>(typed)->run(result); }});
    return *this;
  }

  std::vector<Entry> entries_;
  std::vector<detail::SelectCase> table_;
  std::vector<detail::ChannelCore*> channels_;
  std::vector<std::uint32_t> ready_;
};

}  // namespace tandem
