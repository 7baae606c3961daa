//! The process that is watched: makes images, has them verified, and runs what is accepted.
//!
//! Before each call it writes to a file what it is about to enter; the tracer reads that when the
//! processor stops at the sandbox's entry stub.

use std::fs::File;
use std::io::{BufRead, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use vino_abi::{ARGUMENTS_OFFSET, DATA_OFFSET, STACK_END};
use vino_sandbox::{
    DEADLINE_MAX, DecodedImage, Engine, Entry, GraftMemory, Host, HostAbort, Instance,
    InstanceConfig, Limits, LinkedImage, Policy, SandboxAddr, SegmentKind, VerifiedImage,
};

use crate::grammar;
use crate::objects::{Aim, IMPORTS, Object, Reference, mutate};
use crate::random::Random;
use crate::templates::{self, Template};

/// Set in the watched process: seed, number of images, file for announcements, folder of
/// compiled objects.
pub(crate) const ORDERS: &str = "VINO_SOUNDNESS_ORDERS";
/// What a line for the tracer starts with.
pub(crate) const MARK: char = '@';
/// Bytes below the end of the stack, and of other areas, that are made random.
const NOISE_BYTES: u32 = 256;
/// Bytes of a page of the heap.
const PAGE: u32 = 4096;
/// Activations that a host function may begin within each other.
const NESTING: usize = 2;
/// Calls of one image, at most.
const CALLS: usize = 2;

/// How an image came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    Grammar,
    GrammarBytes,
    GrammarRelocations,
    CompilerBytes,
    CompilerAnything,
}

impl Origin {
    pub(crate) const ALL: [Self; 5] = [
        Self::Grammar,
        Self::GrammarBytes,
        Self::GrammarRelocations,
        Self::CompilerBytes,
        Self::CompilerAnything,
    ];

    fn random(random: &mut Random) -> Self {
        match random.below(100) {
            0..40 => Self::Grammar,
            40..55 => Self::GrammarBytes,
            55..65 => Self::GrammarRelocations,
            65..92 => Self::CompilerBytes,
            _ => Self::CompilerAnything,
        }
    }
}

/// A call that is about to be made, as the tracer learns of it.
#[derive(Clone, Debug)]
pub(crate) struct Announcement {
    pub(crate) image: u64,
    pub(crate) base: u64,
    pub(crate) text: std::ops::Range<u64>,
    pub(crate) entry: u64,
    pub(crate) reads_protected: bool,
    pub(crate) imports: u64,
    pub(crate) origin: Origin,
}

/// Numbers of an announcement in its file.
const FIELDS: usize = 8;

impl Announcement {
    /// Writes it where the tracer looks; a call that is refused leaves it to the next.
    fn write(&self, to: &File) {
        let reads = u64::from(self.reads_protected);
        let fields: [u64; FIELDS] = [
            self.image,
            self.base,
            self.text.start,
            self.text.end,
            self.entry,
            reads,
            self.imports,
            self.origin as u64,
        ];
        let bytes: Vec<u8> = fields
            .iter()
            .flat_map(|field| field.to_le_bytes())
            .collect();
        to.write_all_at(&bytes, 0).expect("a temporary file");
    }

    /// Reads the youngest.
    pub(crate) fn read(from: &File) -> Option<Self> {
        let mut bytes = [0; FIELDS * 8];
        from.read_exact_at(&mut bytes, 0).ok()?;
        let mut fields = bytes
            .chunks_exact(8)
            .map(|field| u64::from_le_bytes(field.try_into().expect("eight bytes")));
        let mut next = || fields.next();
        Some(Self {
            image: next()?,
            base: next()?,
            text: next()?..next()?,
            entry: next()?,
            reads_protected: next()? != 0,
            imports: next()?,
            origin: *Origin::ALL.get(usize::try_from(next()?).ok()?)?,
        })
    }
}

/// Writes a line for the tracer.
fn say(word: &str, fields: &[u64]) {
    let fields: Vec<String> = fields.iter().map(|field| format!("{field:x}")).collect();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{MARK}{word} {}", fields.join(" ")).expect("the tracer listens");
    out.flush().expect("the tracer listens");
}

struct Maker {
    random: Random,
    announcements: File,
    /// Calls that returned.
    returned: u64,
    templates: Vec<Template>,
    compiled: Vec<Vec<u8>>,
}

impl Maker {
    fn object(&mut self, origin: Origin) -> Vec<u8> {
        let random = &mut self.random;
        match origin {
            Origin::Grammar => grammar::program(random, &self.templates).to_bytes(random),
            Origin::GrammarBytes | Origin::GrammarRelocations => {
                let mut file = grammar::program(random, &self.templates).to_bytes(random);
                let aim = match origin {
                    Origin::GrammarBytes => Aim::Text,
                    _ => Aim::Relocations,
                };
                mutate(&mut file, aim, random);
                file
            }
            Origin::CompilerBytes | Origin::CompilerAnything => {
                let mut file = self.compiled[random.below(self.compiled.len())].clone();
                let aim = match origin {
                    Origin::CompilerBytes => Aim::Text,
                    _ => random.pick(&[Aim::Relocations, Aim::Anywhere]),
                };
                mutate(&mut file, aim, random);
                file
            }
        }
    }
}

/// Follows the orders: makes images until enough were accepted, and calls each.
pub(crate) fn serve(orders: &str) {
    let mut words = orders.splitn(4, ' ');
    let mut word = || words.next().expect("seed, images, file, folder");
    let seed: u64 = word().parse().expect("a number");
    let count: u64 = word().parse().expect("a number");
    let announcements = File::options()
        .write(true)
        .open(word())
        .expect("the tracer made it");
    let compiled = read_objects(Path::new(word()));
    let engine = Engine::new().expect("this machine runs grafts");
    let mut loaded = load(&engine, warm_up(), Policy::default(), None).expect("accepted");
    let base = loaded.instance.base();
    say(
        "ready",
        &[
            u64::try_from(nix::unistd::gettid().as_raw()).expect("positive"),
            base,
        ],
    );
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .expect("the tracer says go");
    let templates = templates::discover();
    let mut maker = Maker {
        random: Random::new(seed),
        announcements,
        returned: 0,
        templates,
        compiled,
    };
    call(&mut loaded, &mut maker, 0, Origin::Grammar, true);
    drop(loaded);
    let (mut accepted, mut made) = (0, 0);
    while accepted < count {
        let origin = Origin::random(&mut maker.random);
        let object = maker.object(origin);
        made += 1;
        let read_protection = maker.random.chance(90);
        let Some(image) = link(&object) else { continue };
        let policy = Policy { read_protection };
        let Some(mut loaded) = load(&engine, image, policy, Some(base)) else {
            continue;
        };
        assert_eq!(loaded.instance.base(), base, "nothing else takes the place");
        accepted += 1;
        call(&mut loaded, &mut maker, accepted, origin, read_protection);
    }
    say("done", &[made, accepted, maker.returned]);
}

fn read_objects(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("the tracer made it");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("an object"))
        .collect()
}

/// A graft that calls the host and returns, by which the tracer learns the ways in and out.
fn warm_up() -> LinkedImage {
    let mut object = Object::new();
    object.functions.push(2);
    let text = &mut object.text;
    text.extend([0x0f, 0x0b]); // ud2
    text.extend(vino_abi::LABEL_TARGET);
    text.extend([0xe8, 0, 0, 0, 0]); // call ask
    object
        .references
        .push((text.len() - 4, Reference::Import(0), -4));
    text.extend(vino_abi::LABEL_RETURN);
    text.extend([0x0f, 0x0b]);
    link(&object.to_bytes(&mut Random::new(0))).expect("well formed")
}

fn link(object: &[u8]) -> Option<LinkedImage> {
    let decoded = DecodedImage::decode(object, &Limits::default()).ok()?;
    let mut resolve = |name: &str| {
        let known = IMPORTS.iter().position(|import| *import == name);
        u32::try_from(known.unwrap_or(0)).ok()
    };
    decoded.link(&mut resolve).ok()
}

/// An accepted image in its sandbox, and what has to be said of it.
struct Loaded {
    instance: Instance,
    text: std::ops::Range<u32>,
    imports: u64,
    entries: Vec<Entry>,
}

fn load(
    engine: &Engine,
    image: LinkedImage,
    policy: Policy,
    base_hint: Option<u64>,
) -> Option<Loaded> {
    let config = InstanceConfig {
        base_hint,
        deadline: DEADLINE_MAX,
        heap_bytes: PAGE,
        heap_bytes_max: PAGE,
        stack_bytes: 4 * PAGE,
        ..InstanceConfig::default()
    };
    let mut segments = image.segments().iter();
    let text = segments.find(|segment| segment.kind == SegmentKind::Text)?;
    let text = text.offset..text.offset + text.bytes_len;
    let imports = image
        .imports()
        .iter()
        .fold(0, |mask, import| mask | 1 << import);
    let names: Vec<String> = image.entries().map(|(name, _)| name.to_owned()).collect();
    let image = VerifiedImage::verify(engine, image, &policy).ok()?;
    let instance = Instance::new(&image, config).expect("there is room for one");
    let entries = names
        .iter()
        .filter_map(|name| instance.entry(name))
        .collect();
    Some(Loaded {
        instance,
        text,
        imports,
        entries,
    })
}

/// Calls an image with random arguments and memory; how that ends is the tracer's business.
fn call(loaded: &mut Loaded, maker: &mut Maker, image: u64, origin: Origin, protected: bool) {
    let Loaded {
        instance,
        text,
        imports,
        entries,
    } = loaded;
    let announcement = Announcement {
        image,
        base: instance.base(),
        text: text.start.into()..text.end.into(),
        entry: 0,
        reads_protected: protected,
        imports: *imports,
        origin,
    };
    for _ in 0..CALLS.min(entries.len()) {
        let entry = maker.random.pick(entries);
        let mut host = Hostile {
            maker,
            announcement: announcement.clone(),
            entries,
            depth: 0,
        };
        for area in [
            STACK_END,
            ARGUMENTS_OFFSET + NOISE_BYTES,
            DATA_OFFSET + NOISE_BYTES,
        ] {
            let start = area - NOISE_BYTES;
            let noise: Vec<u8> = (0..NOISE_BYTES / 8)
                .flat_map(|_| host.word().to_le_bytes())
                .collect();
            let addr = SandboxAddr::of_pointer(start.into());
            instance
                .write(addr, &noise)
                .expect("it is mapped and writable");
        }
        let args = [(); 6].map(|()| host.word());
        host.announce(entry);
        let outcome = instance.call(entry, &args, &mut host);
        maker.returned += u64::from(outcome.is_ok());
    }
}

/// A host that answers at random, and calls back.
struct Hostile<'a> {
    maker: &'a mut Maker,
    announcement: Announcement,
    entries: &'a [Entry],
    depth: usize,
}

impl Hostile<'_> {
    /// A number that a graft might turn into harm: near something in the sandbox or of the host.
    fn word(&mut self) -> u64 {
        let Announcement { base, text, .. } = &self.announcement;
        let of_host = std::ptr::from_ref(&self.depth).addr() as u64;
        let text = text.start + self.maker.random.next() % 256;
        let areas = [
            text,
            u64::from(ARGUMENTS_OFFSET),
            u64::from(DATA_OFFSET),
            u64::from(STACK_END) - 512,
            vino_abi::IMAGE_OFFSET.into(),
            vino_abi::IMPORT_GATES_OFFSET.into(),
        ];
        let near = 8 * (self.maker.random.next() % 32);
        let offset = self.maker.random.pick(&areas) + near;
        match self.maker.random.below(10) {
            0 => of_host,
            1 => self.maker.random.next(),
            2 => self.maker.random.sized().cast_unsigned(),
            3 => base.wrapping_add(1 << 32).wrapping_sub(near),
            4 => offset | self.maker.random.next() << 32,
            5 => text,
            _ => base + offset,
        }
    }

    fn announce(&mut self, entry: Entry) {
        self.announcement.entry = entry.offset().into();
        self.announcement.write(&self.maker.announcements);
    }
}

impl Host for Hostile<'_> {
    fn call(
        &mut self,
        memory: &mut GraftMemory<'_>,
        _: u32,
        _: &[u64; 6],
    ) -> Result<u64, HostAbort> {
        // The first image teaches the tracer the way back, so nothing may come between.
        if self.announcement.image == 0 {
            return Ok(0);
        }
        match self.maker.random.below(8) {
            0 => Err(HostAbort(1)),
            1 | 2 if self.depth < NESTING => {
                let entry = self.maker.random.pick(self.entries);
                let args = [(); 6].map(|()| self.word());
                self.depth += 1;
                self.announce(entry);
                let outcome = memory.call_back(entry, &args, self);
                self.depth -= 1;
                self.maker.returned += u64::from(outcome.is_ok());
                Ok(outcome.unwrap_or(0))
            }
            _ => Ok(self.word()),
        }
    }
}
