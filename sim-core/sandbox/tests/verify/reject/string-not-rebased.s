# A truncated pointer is a host address.
function f
        mov %edi,%edi
        rep stosb                               # error: R11
