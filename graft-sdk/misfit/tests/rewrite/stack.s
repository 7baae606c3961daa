# flags: -crws
	.text
f:
	pushq	%rbp
	movq	%rsp, %rbp
	subq	$64, %rsp
	testl	%edi, %edi
	je	.L1
	movl	$1, (%rsp)
	subq	$40000, %rsp
	subq	$40000, %rsp
	movl	$2, 8(%rsp)
	subq	$200000, %rsp
	andq	$-32, %rsp
	subq	%rax, %rsp
	movq	%rsp, %rbx
	movq	%rbx, %rsp
	subq	-8(%rbp), %rsp
	leaq	-40(%rbp), %rsp
	leaq	-8(%r10), %rsp
	cmpl	$1, %edi
	leaq	8(%rsp), %rsp
	jne	.L1
	addq	$-128, %rsp
	call	*%rax
	subq	$8, %rsp
	call	g
	addq	$8, %rsp
	jmp	g
.L1:
	leave
	ret
