# flags: -crws
	.text
	movl	counter, %eax # error: absolute address of a symbol | compile with -fPIC
	movl	table(,%rax,4), %eax # error: absolute address of a symbol | compile with -fPIC
	movl	$counter, %edi # error: an address as an immediate cannot be relocated | compile with -fPIC
	movabsq	$counter, %rax # error: an address as an immediate cannot be relocated | compile with -fPIC
	movabsq	0x1234, %rax # error: 64-bit absolute address | compile with -fPIC
	movl	-8, %eax # error: access at a fixed address outside the sandbox | reach memory through a pointer that the kernel passed
	movq	%fs:40, %rax # error: stack protector canary | compile with -fno-stack-protector
	movq	%fs:0, %rax # error: thread-local storage | a graft has one thread: make the variable static instead of thread_local
	movq	x@gottpoff(%rip), %rax # error: thread-local storage | a graft has one thread: make the variable static instead of thread_local
	leaq	x@tlsgd(%rip), %rdi # error: thread-local storage | a graft has one thread: make the variable static instead of thread_local
	movq	%gs:8(%eax), %rax # error: %gs override: already instrumented, or thread-local storage | give misfit the output of the compiler, once
	movl	%ds:(%rax), %eax # error: segment override | remove it
	movl	foo@GOTOFF(%rax), %eax # error: relocation of the large code model | compile without -mcmodel=large or medium
	movl	8(%rax,%rbx,3), %eax # error: malformed address | give misfit AT&T assembly as gcc -S, clang -S or rustc --emit asm print it
	movl	8(%foo), %eax # error: unknown register %foo | give misfit AT&T assembly as gcc -S, clang -S or rustc --emit asm print it
	popq	8(%rsp) # error: pop to an address that depends on %rsp | pop into a register, then store it
	call	foo+4 # error: jump or call to a computed address | jump to a label
	jmp	. # error: jump or call to a computed address | jump to a label
	jmp	0x1000 # error: jump or call to a computed address | jump to a label
	call	*%rsp # error: indirect jump through an unexpected register | jump through a 64-bit register other than %rsp
	jmp	*%eax # error: indirect jump through an unexpected register | jump through a 64-bit register other than %rsp
