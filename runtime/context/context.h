// A suspended computation, and the switch from one to another: the only place where a stack pointer is
// replaced.
//
// The switch is inlined and declares every register clobbered, so the compiler spills only what is live (0.8
// ns measured; saving the callee-saved registers in a called function costs 4.9-11 ns). Saved are the stack
// pointer, the frame pointer and the address to go on at. Three words cross the switch in registers: what the
// one that leaves has to say to the one that goes on (S3) touches no memory.
//
// Rules
//   S1  A function that inlines switch_context must be compiled with -fno-ipa-reference under g++ 12, which
//       otherwise caches file-static variables across it. The library's targets add the flag.
//   S2  After switch_context returns, the code may run on another thread: no address of a thread_local,
//       errno's included, may be carried across it.
//   S3  `from` may be published to other threads only after the switch, by whoever runs next: until then the
//       stack is in use.
//   S4  What lies in the kRedZoneBytes below sp is live: a leaf function may keep variables there. Scanners
//       and those who give pages back start at live_low().
//   S5  Not carried: floating-point control words (rounding mode), signal masks, and the exception state and
//       errno, which cxx_state.h carries. Shadow stacks (CET SHSTK) must be off, as they are unless glibc is
//       told otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" [[gnu::visibility("hidden")]] void tandem_context_entry();

namespace tandem::context {

struct Context {
  void* sp = nullptr;
  void* resume = nullptr;  // where execution goes on; null: never prepared
  void* frame = nullptr;   // frame pointer, where backtraces begin
};
static_assert(sizeof(Context) == 24, "part of the goroutine descriptor's first cache line");

// What a context that leaves tells the next one; its meaning is theirs. All null: nothing.
struct Message {
  void* subject = nullptr;
  void* action = nullptr;
  void* argument = nullptr;
};

// The first function on a stack: its argument, and the message of the context that switched to it first.
using EntryFunction = void (*)(void* argument, void* subject, void* action, void* message_argument);

// Makes `context` one whose first switch_context to it calls entry on the given stack. `entry` must never
// return and never let an exception out: nothing is below it, unwinders and backtraces stop there.
// `stack_top` is the end of the stack; the highest 48 bytes at most are written, so the stack must be mapped.
inline void prepare_context(Context& context, std::byte* stack_top, EntryFunction entry, void* argument) noexcept {
  auto* words = reinterpret_cast<void**>(reinterpret_cast<std::uintptr_t>(stack_top) & ~std::uintptr_t{15}) - 4;
  words[0] = reinterpret_cast<void*>(entry);
  words[1] = argument;
  words[2] = nullptr;  // what a frame-pointer walk would take for the caller's frame
  words[3] = nullptr;  // and its return address
  context.sp = words;
  context.resume = reinterpret_cast<void*>(&tandem_context_entry);
  context.frame = nullptr;
}
// The same for one that expects no message: both calling conventions ignore arguments in excess.
inline void prepare_context(Context& context, std::byte* stack_top, void (*entry)(void*), void* argument) noexcept {
  prepare_context(context, stack_top, reinterpret_cast<EntryFunction>(reinterpret_cast<void*>(entry)), argument);
}

#if defined(__x86_64__)

inline constexpr std::size_t kRedZoneBytes = 128;

// Leaves `from` for `to`, which receives `message`; returns, when somebody switches back, the message of that one.
[[gnu::always_inline]] inline Message switch_context(Context& from, const Context& to, Message message) noexcept {
  Context* from_register = &from;
  const Context* to_register = &to;
  register void* argument asm("r8") = message.argument;
  asm volatile(
      "leaq 1f(%%rip), %%rax\n\t"
      "movq %%rsp, 0(%%rdi)\n\t"
      "movq %%rax, 8(%%rdi)\n\t"
      "movq %%rbp, 16(%%rdi)\n\t"
      "movq 0(%%rsi), %%rsp\n\t"
      "movq 16(%%rsi), %%rbp\n\t"
      "jmpq *8(%%rsi)\n"
      "1:\n\t"
      : "+D"(from_register), "+S"(to_register), "+d"(message.subject), "+c"(message.action), "+r"(argument)
      :
      : "rax", "rbx", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc", "st", "st(1)", "st(2)", "st(3)",
        "st(4)", "st(5)", "st(6)", "st(7)", "mm0", "mm1", "mm2", "mm3", "mm4", "mm5", "mm6", "mm7", "xmm0", "xmm1",
        "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
        "xmm15"
#if defined(__AVX512F__)
        ,
        "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",
        "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#endif
  );
  return {message.subject, message.action, argument};
}

#elif defined(__aarch64__)

inline constexpr std::size_t kRedZoneBytes = 0;  // AAPCS64 has none

[[gnu::always_inline]] inline Message switch_context(Context& from, const Context& to, Message message) noexcept {
  register Context* from_register asm("x0") = &from;
  register const Context* to_register asm("x1") = &to;
  register void* subject asm("x2") = message.subject;
  register void* action asm("x3") = message.action;
  register void* argument asm("x4") = message.argument;
  asm volatile(
      "adr x9, 1f\n\t"
      "mov x10, sp\n\t"
      "stp x10, x9, [x0]\n\t"
      "str x29, [x0, #16]\n\t"
      "ldp x10, x9, [x1]\n\t"
      "ldr x29, [x1, #16]\n\t"
      "mov sp, x10\n\t"
      "br x9\n"
      "1:\n\t"
      "hint #36\n\t"  // bti j: the target of an indirect jump
      : "+r"(from_register), "+r"(to_register), "+r"(subject), "+r"(action), "+r"(argument)
      :
      // Not x29, which is saved above. x18 is a scratch register on Linux.
      : "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20",
        "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7",
        "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23",
        "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "memory", "cc"
#if defined(__ARM_FEATURE_SVE)
        ,
        "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13", "p14", "p15"
#endif
  );
  return {subject, action, argument};
}

#else
#error "tandem runs on x86-64 and aarch64; runtime/context/context.h has no switch for this processor"
#endif

[[gnu::always_inline]] inline void switch_context(Context& from, const Context& to) noexcept {
  switch_context(from, to, Message{});
}

// The lowest live byte of a suspended context's stack.
inline std::byte* live_low(const Context& context) noexcept {
  return static_cast<std::byte*>(context.sp) - kRedZoneBytes;
}

}  // namespace tandem::context
