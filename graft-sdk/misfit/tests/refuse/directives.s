# flags: -crws
	.macro m # error: directive .macro is not known to be safe | give misfit compiler output, after any preprocessing
	.include "x.s" # error: directive .include is not known to be safe | give misfit compiler output, after any preprocessing
	.intel_syntax noprefix # error: Intel syntax | compile without -masm=intel: misfit reads AT&T syntax
	.code32 # error: not 64-bit code | compile with -m64
	.byte	0x90 # error: data among instructions | move it to a data section, or write the instruction by its name
	.cfi_personality 0x9b,DW.ref.__gxx_personality_v0 # error: an exception cannot unwind through a graft | compile C and C++ with -fno-exceptions, Rust with -C panic=abort
	.section	.init_array,"aw" # error: a constructor or destructor of a static object never runs in a graft | make the object constant-initialised (constexpr), or construct it on first use
	.section	.tbss,"awT",@nobits # error: thread-local storage | a graft has one thread: make the variable static instead of thread_local
	.section	.wx,"awx" # error: section both writable and executable | split it: text is never writable
	.data
	.long	x@dtpoff # error: thread-local storage | a graft has one thread: make the variable static instead of thread_local
	movl	$1, %eax # error: instruction outside a text section | put code into .text or a section with flags "ax"
	.reloc	0, R_X86_64_64, x # error: directive .reloc is not known to be safe | give misfit compiler output, after any preprocessing
	. = 4 # error: the location counter is assigned | give misfit compiler output, after any preprocessing
	.popsection # error: .popsection without .pushsection | give misfit compiler output, after any preprocessing
