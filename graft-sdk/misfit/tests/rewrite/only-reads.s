# flags: -r
	.text
	movl	(%rdi), %eax
	movl	%eax, (%rdi)
	addl	%eax, (%rdi)
	call	*8(%rax)
	jmp	*(%rax,%rcx,8)
	ret
