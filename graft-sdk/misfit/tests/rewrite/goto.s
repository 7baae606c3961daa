# flags: -crws
# A computed goto while %r11 holds a value, then a tail call: two scratch registers.
	.text
	.globl	f
	.type	f, @function
f:
	pushq	%rbx
	movq	%rdi, %rbx
	movl	%esi, %r11d
	jmp	*(%rbx)
.L1:
	addl	%r11d, %eax
	jmp	*8(%rbx)
.L2:
	movq	%rbx, %rax
	popq	%rbx
	jmp	*(%rax)
	.section	.data.rel.ro.local,"aw"
	.quad	.L1
	.quad	.L2
