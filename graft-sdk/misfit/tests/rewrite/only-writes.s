# flags: -w
	.text
	movl	(%rdi), %eax
	movl	%eax, (%rdi)
	addl	%eax, (%rdi)
	addl	(%rdi), %eax
	cmpl	%eax, (%rdi)
	call	*8(%rax)
	rep stosq
	leave
	ret
