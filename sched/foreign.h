#pragma once
// Threads that drive no processor: post() and ExternalWaker. The gate lets them in only while a run is in progress, and
// closing it waits for those inside.

#include <cstdint>

namespace tandem::sched {

void open_foreign_gate();
void close_foreign_gate();

/// True: the run cannot end before leave_foreign_gate().
bool enter_foreign_gate();
void leave_foreign_gate();

bool posts_under_way();
std::uint64_t external_wakers();

}  // namespace tandem::sched
