# A 32-bit operation that is not part of the group.
function f
        or $8,%esp                              # error: R6
        add %gs:BASE_SLOT,%rsp                  # error: R6
        mov $0x1000,%esp                        # error: R6
        add %gs:BASE_SLOT,%rsp                  # error: R6
