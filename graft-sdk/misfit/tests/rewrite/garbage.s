# flags: -crws
# What gcc -Os does with %r11 after a call, without needing what it held before.
	.text
	.globl	f
	.type	f, @function
f:
	movl	%edi, %r11d
	call	local
	movb	8(%rsp), %r11b
	leal	(%r11,%rdx), %eax
	call	local
	pushq	%r11
	call	local
	popq	%rdx
	call	stop
	addl	%r11d, %eax
	ret
	.type	local, @function
local:
	ret
	.type	stop, @function
stop:
	ud2
	.ident	"GCC: (Debian 12.2.0-14) 12.2.0"
