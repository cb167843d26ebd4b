#include "runtime/context/context.h"

// The first code that runs on a new stack. It finds {entry, argument, 0, 0} at the stack pointer and calls
// entry(argument, message ...), the message being in the registers where the switch has left it. The return address is declared undefined and the frame pointer is zero, so unwinding by
// tables and by frame pointers both stop here; an exception that reaches it ends in std::terminate.
#if defined(__x86_64__)
asm(R"(
.text
.p2align 4
.globl tandem_context_entry
.hidden tandem_context_entry
.type tandem_context_entry, @function
tandem_context_entry:
  .cfi_startproc
  .cfi_undefined rip
  popq %rax
  popq %rdi
  movq %rdx, %rsi
  movq %rcx, %rdx
  movq %r8, %rcx
  xorl %ebp, %ebp
  callq *%rax
  ud2
  .cfi_endproc
.size tandem_context_entry, .-tandem_context_entry
.section .note.GNU-stack,"",@progbits
.text
)");
#elif defined(__aarch64__)
asm(R"(
.text
.p2align 4
.globl tandem_context_entry
.hidden tandem_context_entry
.type tandem_context_entry, %function
tandem_context_entry:
  .cfi_startproc
  .cfi_undefined x30
  hint #38
  ldp x9, x0, [sp], #16
  mov x1, x2
  mov x2, x3
  mov x3, x4
  mov x29, xzr
  mov x30, xzr
  blr x9
  brk #1
  .cfi_endproc
.size tandem_context_entry, .-tandem_context_entry
.section .note.GNU-stack,"",%progbits
.text
)");
#endif
