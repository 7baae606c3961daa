# flags: -crws
	.text
	movl	%gs:(%edi), %eax # error: %gs override: already instrumented, or thread-local storage | give misfit the output of the compiler, once
vino_cfi_fail: # error: already instrumented | give misfit the output of the compiler, once
	ud2
