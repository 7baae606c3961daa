/* Closes what vino/begin.h opened. */
#ifdef __cplusplus
}
#endif
#undef VINO_RESTRICT
#undef VINO_NORETURN
