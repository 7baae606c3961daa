# flags: -crws
	.text
f:
	popq	%rsp # error: no safe form is known for this write to %rsp | let the compiler manage the stack, without inline assembly that switches it
	xchgq	%rax, %rsp # error: no safe form is known for this write to %rsp | let the compiler manage the stack, without inline assembly that switches it
	movq	$4096, %rsp # error: no safe form is known for this write to %rsp | let the compiler manage the stack, without inline assembly that switches it
	movl	%eax, %esp # error: no safe form is known for this write to %rsp | let the compiler manage the stack, without inline assembly that switches it
	cmovneq	%rax, %rsp # error: no safe form is known for this write to %rsp | let the compiler manage the stack, without inline assembly that switches it
	orq	$8, %rsp # error: no safe form is known for this write to %rsp | let the compiler manage the stack, without inline assembly that switches it
	movzbl	%al, %esp # error: no safe form is known for this write to %rsp | let the compiler manage the stack, without inline assembly that switches it
	subl	$8, %esp # error: no safe form is known for this write to %rsp | let the compiler manage the stack, without inline assembly that switches it
	xaddq	%rsp, %rax # error: no safe form is known for this write to %rsp | let the compiler manage the stack, without inline assembly that switches it
	mulxq	%rax, %rsp, %rbx # error: no safe form is known for this write to %rsp | let the compiler manage the stack, without inline assembly that switches it
	subq	$-6148914691236517206, %rsp # error: no safe form is known for this write to %rsp | let the compiler manage the stack, without inline assembly that switches it
	cmpl	$1, %edi
	movq	%rbx, %rsp # error: the flags must survive an instruction whose safe form changes them | compile this function with another -O level
	adcl	$0, %ecx
	ret
