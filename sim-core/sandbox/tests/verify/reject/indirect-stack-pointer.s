# Through %rsp.
function f
        call *%rsp                              # error: R9
