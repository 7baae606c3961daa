# flags: -crws
# gcc writes a comparison that every target of a jump table starts with once, before the jump.
	.text
	.type f, @function
f:
	cmpl	$1, %r11d
	ja	.L4
	leaq	.L3(%rip), %r10
	movslq	(%r10,%r9,4), %r9
	addq	%r10, %r9
	cmpl	%eax, %edx
	jmp	*%r9
	.section .rodata
.L3:
	.long	.L1-.L3
	.long	.L2-.L3
	.text
.L1:
	jnb	.L4
	ret
.L2:
	jb	.L4
	ret
.L4:
	ret
