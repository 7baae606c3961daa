//! From the untrusted bytes of a relocatable object to an image that can be placed in a sandbox.
