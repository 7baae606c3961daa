# flags: -crws
	.text
	movl	(%rdi), %eax
	movq	-8(%rbp), %r9
	movb	%al, 16(%r12,%r13,8)
	addq	$1, 8(,%rcx,4)
	leaq	8(%rdi,%rsi,2), %rax
	movl	8(%rsp), %eax
	movq	%rax, (%rsp,%rcx)
	movl	counter(%rip), %eax
	movq	other@GOTPCREL(%rip), %rax
	lock xaddl	%eax, (%rdx)
	lock
	incq	(%rdi)
	xchgq	%rax, (%rdi)
	cmpl	$3, 4(%rax)
	movsd	(%rax,%rdx,8), %xmm0
	vmovups	%ymm1, 32(%rdi)
	pushq	8(%rdi)
	popq	(%rdi)
	mulq	(%rsi)
	movl	0, %eax
	nopw	0(%rax,%rax,1)
	prefetcht0	64(%rdi)
	rep bsfq	(%rdi), %rax
	ud2
