# MMX registers are the x87 registers.
function f
        movd %eax,%mm0                          # error: R2
        paddb %mm1,%mm0                         # error: R2
        emms                                    # error: R2
        cvtpi2ps %mm0,%xmm0                     # error: R2
        movq2dq %mm0,%xmm0                      # error: R2
