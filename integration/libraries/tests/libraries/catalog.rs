//! Which libraries are proved, and how each is compiled.

/// A library as its package in the registry carries it.
#[derive(Debug)]
pub(crate) struct Library {
    pub(crate) name: &'static str,
    pub(crate) sources: &'static [Sources],
    /// Flags for the library and its glue.
    pub(crate) flags: &'static [&'static str],
    /// What the glue reads.
    pub(crate) input: &'static str,
}

/// Files of one folder of a package.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) package: &'static str,
    /// Folder within the package, which is searched for headers, too.
    pub(crate) folder: &'static str,
    pub(crate) files: Files,
}

#[derive(Debug)]
pub(crate) enum Files {
    /// Those whose names are given, without `.c`.
    Named(&'static [&'static str]),
    /// Every `.c` file but those whose names are given.
    AllBut(&'static [&'static str]),
}

pub(crate) const ZLIB: Library = Library {
    name: "zlib",
    sources: &[Sources {
        package: "libz-sys",
        folder: "src/zlib",
        // Reading and writing of files.
        files: Files::AllBut(&["gzclose", "gzlib", "gzread", "gzwrite"]),
    }],
    flags: &[],
    input: "",
};

pub(crate) const LZ4: Library = Library {
    name: "lz4",
    sources: &[Sources {
        package: "lz4-sys",
        folder: "liblz4/lib",
        files: Files::AllBut(&["lz4file"]),
    }],
    flags: &[],
    input: "",
};

pub(crate) const BZIP2: Library = Library {
    name: "bzip2",
    sources: &[Sources {
        package: "bzip2-sys",
        folder: "bzip2-1.0.8",
        // The rest are programs and their tests.
        files: Files::Named(&[
            "blocksort",
            "bzlib",
            "compress",
            "crctable",
            "decompress",
            "huffman",
            "randtable",
        ]),
    }],
    flags: &["-DBZ_NO_STDIO"],
    input: "",
};

pub(crate) const ZSTD: Library = Library {
    name: "zstd",
    sources: &[
        Sources {
            package: "zstd-sys",
            folder: "zstd/lib",
            files: Files::AllBut(&[]),
        },
        Sources {
            package: "zstd-sys",
            folder: "zstd/lib/common",
            files: Files::AllBut(&[]),
        },
        Sources {
            package: "zstd-sys",
            folder: "zstd/lib/compress",
            files: Files::AllBut(&[]),
        },
        Sources {
            package: "zstd-sys",
            folder: "zstd/lib/decompress",
            files: Files::AllBut(&[]),
        },
    ],
    // Hand-written assembly is for those who read it: misfit takes what compilers write. The hooks
    // for tracing are weak symbols that nobody defines.
    flags: &["-DZSTD_DISABLE_ASM=1", "-DZSTD_TRACE=0"],
    input: "",
};

pub(crate) const LUA: Library = Library {
    name: "lua",
    sources: &[Sources {
        package: "lua-src",
        folder: "lua-5.4.9",
        // Programs, files, the operating system, dynamic loading, and transcendental functions.
        files: Files::AllBut(&[
            "lua", "luac", "liolib", "loslib", "loadlib", "linit", "lmathlib",
        ]),
    }],
    // The hash of strings starts from the time and from addresses otherwise, which orders tables.
    flags: &["-Dluai_makeseed(L)=20130607u", "-D_setjmp=setjmp"],
    input: include_str!("../../glue/program.lua"),
};

pub(crate) const PCRE2: Library = Library {
    name: "pcre2",
    sources: &[
        Sources {
            package: "pcre2-sys",
            folder: "upstream/src",
            // Parts of other files, and the compiler to machine code, which a graft cannot have.
            files: Files::AllBut(&[
                "pcre2_jit_compile",
                "pcre2_jit_match",
                "pcre2_jit_misc",
                "pcre2_ucptables",
            ]),
        },
        Sources {
            package: "pcre2-sys",
            folder: "upstream/include",
            files: Files::Named(&[]),
        },
    ],
    flags: &[
        "-DPCRE2_CODE_UNIT_WIDTH=8",
        "-DHAVE_CONFIG_H",
        "-DHAVE_STDLIB_H",
        "-DHAVE_MEMMOVE",
        "-DPCRE2_STATIC",
        "-DSTDC_HEADERS",
        "-DSUPPORT_PCRE2_8",
        "-DSUPPORT_UNICODE",
    ],
    input: "",
};

pub(crate) const TREE_SITTER: Library = Library {
    name: "tree_sitter",
    sources: &[
        Sources {
            package: "tree-sitter",
            folder: "src",
            // It includes all the others.
            files: Files::Named(&["lib"]),
        },
        Sources {
            package: "tree-sitter",
            folder: "include",
            files: Files::Named(&[]),
        },
        Sources {
            package: "tree-sitter-json",
            folder: "src",
            files: Files::Named(&["parser"]),
        },
    ],
    flags: &["-std=c11", "-D_DEFAULT_SOURCE"],
    input: "",
};
