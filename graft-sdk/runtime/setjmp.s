# setjmp and longjmp: the registers that calls preserve, the stack and the place of return.
#
# A longjmp returns to the label behind the call of setjmp like any return does; a buffer that was
# overwritten reaches no other kind of place.
	.text
	.globl	setjmp
	.type	setjmp, @function
setjmp:
	movq	%rbx, 0(%rdi)
	movq	%rbp, 8(%rdi)
	movq	%r12, 16(%rdi)
	movq	%r13, 24(%rdi)
	movq	%r14, 32(%rdi)
	movq	%r15, 40(%rdi)
	movq	%rsp, 48(%rdi)
	movq	(%rsp), %rax
	movq	%rax, 56(%rdi)
	xorl	%eax, %eax
	ret
	.size	setjmp, .-setjmp

	.globl	longjmp
	.type	longjmp, @function
longjmp:
	movq	0(%rdi), %rbx
	movq	8(%rdi), %rbp
	movq	16(%rdi), %r12
	movq	24(%rdi), %r13
	movq	32(%rdi), %r14
	movq	40(%rdi), %r15
	movq	56(%rdi), %rdx
	movq	48(%rdi), %rsp
	movq	%rdx, (%rsp)
	# A setjmp never returns 0 for the second time.
	cmpl	$1, %esi
	adcl	$0, %esi
	movl	%esi, %eax
	ret
	.size	longjmp, .-longjmp
	.ident	"vino"
	.section	.note.GNU-stack,"",@progbits
