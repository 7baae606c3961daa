# flags: -crws
	.file 1 "x.c"
	.section	.text._ZN1A1fEv,"axG",@progbits,_ZN1A1fEv,comdat
	.weak	_ZN1A1fEv
	.type	_ZN1A1fEv, @function
_ZN1A1fEv: # a comment; with a separator
	.loc 1 2
	/* another
	   comment */ ret ; nop
	.set	_ZN1AC1Ev,_ZN1AC2Ev
	.type	_ZN1AC2Ev, @function
_ZN1AC2Ev:
	.p2align 4,,10
	.p2align 3
1:
	jmp 1b
	.section	.rodata.str1.1,"aMS",@progbits,1
.LC0:
	.string	"a;b#c\"d"
	.section	.debug_str,"",@progbits
	.quad	.Lquiet
	.text
.Lquiet:
	ret
	.addrsig
	.addrsig_sym _ZN1A1fEv
