# Re-based without truncation.
function f
        add %gs:BASE_SLOT,%rsp                  # error: R6
