# flags: -crws
	.text
	fldt	8(%rsp) # error: x87 state leaks into the host | use double instead of long double
	fstp	%st(1) # error: x87 state leaks into the host | use double instead of long double
	movq	%mm0, %rax # error: MMX state leaks into the host | compile with -mno-mmx
	vaddps	%zmm0, %zmm1, %zmm2 # error: AVX-512 register | compile with -mno-avx512f
	vmovaps	%xmm17, %xmm0 # error: AVX-512 register | compile with -mno-avx512f
	vaddps	%xmm0, %xmm1, %xmm2{%k1} # error: AVX-512 masking | compile with -mno-avx512f
	vgatherdps	%ymm1, (%rax,%ymm2,4), %ymm0 # error: a gather computes addresses that cannot be confined | compile with -mno-avx2, or for clang with -mtune=generic
	syscall # error: a graft makes no system calls | call a GRAFT_CALLABLE function instead
	int	$128 # error: a graft makes no system calls | call a GRAFT_CALLABLE function instead
	rdtsc # error: the result depends on the machine or the moment, so a run could not be replayed | pass the value to the graft as an argument
	rdrand	%eax # error: the result depends on the machine or the moment, so a run could not be replayed | pass the value to the graft as an argument
	ldmxcsr	(%rsp) # error: processor state that the host relies on | remove it: rounding mode, direction and status flags are fixed in a graft
	std # error: processor state that the host relies on | remove it: rounding mode, direction and status flags are fixed in a graft
	pushfq # error: processor state that the host relies on | remove it: rounding mode, direction and status flags are fixed in a graft
	rsqrtss	%xmm0, %xmm0 # error: the result differs between processor makers, so a run could not be replayed | compile without -ffast-math, or with -mno-recip
	enter	$8, $0 # error: compilers do not emit it, and no safe form is known | rewrite the inline assembly in C
	jrcxz	.L1 # error: compilers do not emit it, and no safe form is known | rewrite the inline assembly in C
	lodsb # error: string instruction without a safe form | write a loop
	maskmovdqu	%xmm0, %xmm1 # error: compilers do not emit it, and no safe form is known | rewrite the inline assembly in C
	hlt # error: privileged or machine-control instruction | remove it
	wrgsbase	%rax # error: privileged or machine-control instruction | remove it
	frobnicate	%eax # error: instruction frobnicate is not known to be safe | compile for a baseline such as -march=x86-64-v3, or rewrite the inline assembly in C
	btsq	%rax, (%rdi) # error: a bit offset in a register reaches far beyond its memory operand | select the word first, or compile this function with -O1
	retq	$8 # error: return that pops arguments | use the System V convention
	pushw	%ax # error: instruction pushw is not known to be safe | compile for a baseline such as -march=x86-64-v3, or rewrite the inline assembly in C
	pushq	%ax # error: push or pop of part of a register | push all 64 bits
	movw	%ax, %ds # error: segment, control or debug register | rewrite the inline assembly in C
	{evex} vaddps	%xmm0, %xmm1, %xmm2 # error: explicit encoding | remove the {...} before the instruction
	lock addl	$1, %eax # error: prefix lock on addl | remove the prefix
	lock movl	%eax, (%rdi) # error: prefix lock on movl | remove the prefix
	lock addl	(%rdi), %eax # error: prefix lock on addl | remove the prefix
	rep addl	$1, %eax # error: prefix rep on addl | remove the prefix
	lock rep movsb # error: two prefixes | write one prefix
	repne movsb # error: prefix without a meaning here | write `rep`
	data16 # error: explicit size prefix, as thread-local storage uses | compile without thread_local variables
	emms # error: MMX state leaks into the host | compile with -mno-mmx
.L1:
	ret
