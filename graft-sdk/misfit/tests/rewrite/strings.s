# flags: -crws
	.text
f:
	cld
	rep movsq
	rep;stosq	%rax, %es:(%rdi)
	movsb
	stosl
	movsl	(%rsi), %es:(%rdi)
	repz cmpsb
	seta	%al
	movl	$1, %r11d
	repnz scasb
	notq	%rcx
	addq	%r11, %rcx
	repne cmpsw
	cmpsq
	scasl
	sete	%al
	ret
