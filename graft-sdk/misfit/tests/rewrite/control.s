# flags: -crws
	.text
	.globl	f
	.type	f, @function
f:
.LFB0:
	.cfi_startproc
	endbr64
	pushq	%rbx
	call	local
	call	imported@PLT
	call	*imported@GOTPCREL(%rip)
	call	*%rax
	notrack call	*%r12
	call	*16(%rax)
	call	*hook(%rip)
	testl	%eax, %eax
	popq	%rbx
	je	imported
	jne	.L2
	jmp	*imported@GOTPCREL(%rip)
.L2:
	rep ret
	.cfi_endproc
	.size	f, .-f
	.type	local, @function
local:
	cmpl	$2, %edi
	ja	.L5
	leaq	.L4(%rip), %rdx
	movslq	(%rdx,%rdi,4), %rax
	addq	%rdx, %rax
	notrack jmp	*%rax
	.section	.rodata
	.align 4
.L4:
	.long	.L5-.L4
	.long	.L6-.L4
	.text
.L5:
	movl	$1, %eax
	ret
.L6:
	jmp	*8(%rdi)
	.type	taken, @function
taken:
	xorl	%eax, %eax
	ret
	.data
hook:
	.quad	taken
	.ident	"GCC: (Debian 12.2.0-14) 12.2.0"
	.section	.note.GNU-stack,"",@progbits
