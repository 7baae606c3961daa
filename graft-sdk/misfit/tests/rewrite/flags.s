# flags: -crws
# The condition survives the groups between its comparison and its jump.
	.text
f:
	decl	%r14d
	rep movsl
	movq	%rbx, %rsp
	jg	.L1
	cmpl	$1, %eax
	leave
	je	imported
.L1:
	ret
	cmpb	$0, (%rsp)
	rep stosl
	leaq	32(%rbp), %rax
	cmovel	%ecx, %r14d
	cmpl	%eax, %ecx
	movsb
	setae	8(%rbx)
	ret
