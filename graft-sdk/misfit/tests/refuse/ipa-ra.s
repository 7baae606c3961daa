# flags: -crws
# gcc -fipa-ra keeps a value in %r11 across the call of a function that does not use it.
	.text
	.globl	f
f:
	movl	%edi, %r11d
	call	local # error: a value in %r11 must survive a call, but returns use %r11 | compile with -fno-ipa-ra
	addl	%r11d, %eax
	call	stop
	addl	%r11d, %eax
	ret
local:
	movl	$1, %eax
	ret
stop:
	ud2
	.ident	"GCC: (Debian 12.2.0-14) 12.2.0"
