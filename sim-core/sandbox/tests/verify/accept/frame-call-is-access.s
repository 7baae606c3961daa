# A call writes its return address before it goes anywhere.
function f
        sub $0x18,%rsp
        call f
        landing
        add $0x18,%rsp
        return
