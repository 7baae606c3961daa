# Moves from vector registers.
function f
        movq %xmm0,%rsp                         # error: R6
        movd %xmm0,%esp                         # error: R6
        pextrq $1,%xmm0,%rsp                    # error: R6
        movmskps %xmm0,%esp                     # error: R6
        cvttsd2si %xmm0,%rsp                    # error: R6
        vpmovmskb %ymm0,%esp                    # error: R6
