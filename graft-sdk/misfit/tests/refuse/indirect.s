# flags: -crws
# A comparison with memory is not repeated at the targets of a jump: it may have changed.
	.text
	.type	f, @function
f:
	cmpl	(%rcx), %ebx
	jmp	*%rax # error: the flags must survive an indirect jump, whose safe form changes them | compile with -fno-jump-tables
.L1:
	je	.L2
	movl	$1, %eax
.L2:
	ret
	.data
	.quad	.L1
	.text
	.type	full, @function
full:
	pushq	%rbx
	jmp	*(%rax) # error: no register is free for an indirect jump through memory | compile with -fno-jump-tables, or without computed goto
.L3:
	addq	%rax, %rcx
	addq	%rdx, %rbx
	addq	%rbp, %rsi
	addq	%rdi, %r8
	addq	%r9, %r10
	addq	%r11, %r12
	addq	%r13, %r14
	addq	%r15, %rax
	popq	%rbx
	ret
	.data
	.quad	.L3
	.text
	movq	*(%rax), %rbx # error: `*` before an operand that is not a target | remove it
	jne	*(%rax) # error: `*` before an operand that is not a target | remove it
	call # error: jump or call without a target that misfit understands | write `*` before it
	call	%rax # error: jump or call without a target that misfit understands | write `*` before it
