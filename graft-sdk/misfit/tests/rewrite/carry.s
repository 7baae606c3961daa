# flags: -crws
# `inc` and `dec` keep the carry flag, so it is followed apart from the flags that their users read.
	.text
	.type f, @function
f:
.L1:
	rep movsb
	decl	%r8d
	jne	.L1
	leaq	.L3(%rip), %rdi
	movslq	(%rdi,%rsi,4), %rsi
	addq	%rdi, %rsi
	jmp	*%rsi
.L2:
	incl	%eax
	jne	.L1
	ret
	# No optional features, the same on every machine.
	cpuid
	xgetbv
	ret
	.section .rodata
.L3:
	.long	.L2-.L3
