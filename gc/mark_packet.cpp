#include "gc/mark_packet.h"

#include <mutex>
#include <new>

#include "gc/counters.h"
#include "runtime/base/assert.h"

namespace tandem::gc {

MarkPacket* PacketPool::take_empty() {
  {
    const std::lock_guard guard(lock_);
    if (MarkPacket* packet = empty_) {
      empty_ = packet->next;
      packet->next = nullptr;
      return packet;
    }
  }
  auto* packet = new (std::nothrow) MarkPacket;
  if (packet == nullptr) base::fatal("out of memory for the collector's mark packets (4 KiB)");
  counters.mark_packets.add(1);
  return packet;
}

void PacketPool::give_empty(MarkPacket* packet) {
  packet->count = 0;
  const std::lock_guard guard(lock_);
  packet->next = empty_;
  empty_ = packet;
}

void PacketPool::publish(MarkPacket* packet) {
  const std::lock_guard guard(lock_);
  if (published_ == nullptr || !oldest_first_) {
    packet->next = published_;
    if (published_ == nullptr) last_ = packet;
    published_ = packet;
  } else {
    packet->next = nullptr;
    last_->next = packet;
    last_ = packet;
  }
  published_count_.fetch_add(1, std::memory_order_release);
}

MarkPacket* PacketPool::take_published() {
  if (!any_published()) return nullptr;
  const std::lock_guard guard(lock_);
  MarkPacket* packet = published_;
  if (packet == nullptr) return nullptr;
  published_ = packet->next;
  packet->next = nullptr;
  published_count_.fetch_sub(1, std::memory_order_release);
  return packet;
}

void PacketPool::release() {
  TANDEM_CHECK(published_ == nullptr, "mark packets are left over");
  while (MarkPacket* packet = empty_) {
    empty_ = packet->next;
    delete packet;
  }
}

}  // namespace tandem::gc
