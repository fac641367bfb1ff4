//! `image build`: what it writes and pushes is whole, the same every time, and explained when it
//! cannot be made.

pub(crate) mod registry;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use self::registry::Registry;
use crate::binary::{Answer, answer, command};

/// What a program carries of its dependencies; the order is that of the real one.
const LISTS: &str = concat!(
    "<<dependencies of source-declarative-manifest: ",
    include_str!("../../Cargo.toml"),
    "<<locked: ",
    include_str!("../../Cargo.lock"),
    "end of dependencies>>"
);

fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// A folder with programs for two machines, and a place for caches and logins.
pub(crate) struct Workshop(TempDir);

impl Workshop {
    pub(crate) fn new() -> Self {
        let workshop = Self(tempfile::tempdir().unwrap());
        for (name, machine) in [("amd64", 62), ("arm64", 183)] {
            let mut elf = vec![0; 64 + 56];
            elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
            (elf[18], elf[32], elf[54], elf[56]) = (machine, 64, 56, 1);
            fs::write(workshop.path(&format!("busybox-{name}")), &elf).unwrap();
            elf.extend_from_slice(LISTS.as_bytes());
            fs::write(workshop.path(&format!("program-{name}")), &elf).unwrap();
        }
        workshop
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Keeps a login for the registry `host`.
    pub(crate) fn log_in(&self, host: &str, login: &str) {
        let auth = BASE64_STANDARD.encode(login);
        let config = serde_json::json!({"auths": {host: {"auth": auth}}});
        fs::write(self.path("config.json"), config.to_string()).unwrap();
    }

    /// Runs `image build` on an example connector.
    #[track_caller]
    fn run(&self, tag: &str, args: &str) -> Answer {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/pokeapi/manifest.yaml");
        let mut command = command();
        command
            .current_dir(self.0.path())
            .env("PATH", self.0.path())
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("DOCKER_CONFIG", self.0.path())
            .args(["image", "build", manifest, "-t", tag])
            .args(args.split_whitespace());
        answer(&mut command, b"")
    }

    /// Builds for one machine, and tells the address of the image.
    #[track_caller]
    fn build(&self, tag: &str, args: &str) -> String {
        self.build_with(tag, &format!("--binary program-amd64 --busybox busybox-amd64 {args}"))
    }

    #[track_caller]
    fn build_with(&self, tag: &str, args: &str) -> String {
        let Answer { code, stdout, stderr } = self.run(tag, args);
        assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
        let start = stderr.find("sha256:").unwrap_or_else(|| panic!("{stderr}"));
        stderr[start..start + 7 + 64].to_owned()
    }

    #[track_caller]
    fn refuse(&self, tag: &str, args: &str, expect: &str) {
        let args = format!("--binary program-amd64 --busybox busybox-amd64 {args}");
        self.refuse_with(tag, &args, expect);
    }

    #[track_caller]
    fn refuse_with(&self, tag: &str, args: &str, expect: &str) {
        let Answer { code, stderr, .. } = self.run(tag, args);
        assert_eq!(stderr, format!("error: {expect}\n"));
        assert_eq!(code, 1);
    }
}

/// The files of an archive by name.
pub(crate) fn unpack(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.path().unwrap().display().to_string(), bytes)
    });
    entries.collect()
}

/// A layout in a folder or an archive, whose descriptors are all checked on the way.
pub(crate) struct Layout(pub(crate) BTreeMap<String, Vec<u8>>);

impl Layout {
    fn of_folder(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        for name in ["oci-layout", "index.json"] {
            files.insert(name.to_owned(), fs::read(folder.join(name)).unwrap());
        }
        for entry in fs::read_dir(folder.join("blobs/sha256")).unwrap() {
            let entry = entry.unwrap();
            let name = format!("blobs/sha256/{}", entry.file_name().display());
            files.insert(name, fs::read(entry.path()).unwrap());
        }
        Self(files)
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.0[name]).unwrap()
    }

    #[track_caller]
    fn blob(&self, descriptor: &Value) -> &[u8] {
        let address = descriptor["digest"].as_str().unwrap();
        let bytes = &self.0[&format!("blobs/{}", address.replace(':', "/"))];
        assert_eq!(
            (digest(bytes).as_str(), bytes.len() as u64),
            (address, descriptor["size"].as_u64().unwrap())
        );
        bytes
    }

    #[track_caller]
    pub(crate) fn document(&self, descriptor: &Value) -> Value {
        let document: Value = serde_json::from_slice(self.blob(descriptor)).unwrap();
        assert_eq!(document["mediaType"], descriptor["mediaType"]);
        document
    }

    /// The configuration and the tars of an image for one machine.
    #[track_caller]
    pub(crate) fn image(&self, manifest: &Value) -> (Value, Vec<BTreeMap<String, Vec<u8>>>) {
        let config: Value = serde_json::from_slice(self.blob(&manifest["config"])).unwrap();
        let layers = manifest["layers"].as_array().unwrap();
        let diff_ids = config["rootfs"]["diff_ids"].as_array().unwrap();
        assert_eq!(layers.len(), diff_ids.len());
        assert_eq!(layers.len(), config["history"].as_array().unwrap().len());
        let tars = layers.iter().zip(diff_ids).map(|(layer, diff_id)| {
            let mut tar = Vec::new();
            GzDecoder::new(self.blob(layer)).read_to_end(&mut tar).unwrap();
            assert_eq!(digest(&tar), diff_id.as_str().unwrap());
            unpack(&tar)
        });
        (config.clone(), tars.collect())
    }
}

#[test]
fn a_layout_is_whole() {
    let workshop = Workshop::new();
    let digest = workshop.build("airbyte/source-pokeapi:1.2.3", "--oci layout");
    let layout = Layout::of_folder(&workshop.path("layout"));
    let index = layout.json("index.json");
    let [image, bill] = &index["manifests"].as_array().unwrap()[..] else { panic!("{index}") };
    assert_eq!(image["digest"], digest.as_str());
    assert_eq!(image["annotations"]["org.opencontainers.image.ref.name"], "1.2.3");
    assert_eq!(image["platform"]["architecture"], "amd64");

    let (config, layers) = layout.image(&layout.document(image));
    let container = &config["config"];
    let program = "/usr/local/bin/source-declarative-manifest";
    assert_eq!(container["Entrypoint"], serde_json::json!([program]));
    let variables = container["Env"].as_array().unwrap();
    assert!(variables.contains(&format!("AIRBYTE_ENTRYPOINT={program}").into()));
    assert_eq!(container["User"], "1000:1000");
    assert_eq!(container["Labels"]["io.airbyte.name"], "airbyte/source-pokeapi");
    assert_eq!(container["Labels"]["io.airbyte.version"], "1.2.3");
    let [tools, own, connector] = &layers[..] else { panic!("{} layers", layers.len()) };
    for applet in ["sh", "sleep", "kill", "mv", "touch", "echo", "[", "mkdir", "cp"] {
        assert!(tools.contains_key(&format!("bin/{applet}")), "{applet}");
    }
    assert_eq!(tools["bin/busybox"], fs::read(workshop.path("busybox-amd64")).unwrap());
    assert_eq!(own[&program[1..]], fs::read(workshop.path("program-amd64")).unwrap());
    assert!(own.contains_key("usr/local/bin/ddtrace-run"));
    let manifest = &connector["airbyte/integration_code/source_declarative_manifest/manifest.yaml"];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/pokeapi/manifest.yaml");
    assert_eq!(*manifest, fs::read(path).unwrap());

    let artifact = layout.document(bill);
    assert_eq!(artifact["subject"]["digest"], digest.as_str());
    layout.blob(&artifact["config"]);
    let inside = &own["var/lib/db/sbom/source-declarative-manifest.cdx.json"];
    assert_eq!(layout.blob(&artifact["layers"][0]), inside);
    let bill: Value = serde_json::from_slice(inside).unwrap();
    assert_eq!(bill["bomFormat"], "CycloneDX");
}

#[test]
fn two_builds_make_the_same_bytes() {
    let workshop = Workshop::new();
    let first = workshop.build("a/source-x:1", "-o first.tar --oci first");
    let again = workshop.build("a/source-x:1", "-o again.tar --oci again");
    // Without what was compressed before.
    fs::remove_dir_all(workshop.path("cache")).unwrap();
    let anew = workshop.build("a/source-x:1", "");
    assert_eq!((&first, &first), (&again, &anew));
    let read = |name: &str| fs::read(workshop.path(name)).unwrap();
    assert!(read("first.tar") == read("again.tar") && read("first.tar") == read("source-x-1.tar"));
    let layouts = ["first", "again"].map(|name| Layout::of_folder(&workshop.path(name)).0);
    assert!(layouts[0] == layouts[1]);
    assert_ne!(workshop.build("a/source-x:2", ""), first);
}

#[test]
fn an_archive_is_for_old_and_new_readers() {
    let workshop = Workshop::new();
    let digest = workshop.build("airbyte/source-pokeapi:1.2.3", "-o image.tar");
    let archive = Layout(unpack(&fs::read(workshop.path("image.tar")).unwrap()));
    let index = archive.json("index.json");
    let [image] = &index["manifests"].as_array().unwrap()[..] else { panic!("{index}") };
    assert_eq!(image["digest"], digest.as_str());
    let name = &image["annotations"]["io.containerd.image.name"];
    assert_eq!(name, "docker.io/airbyte/source-pokeapi:1.2.3");
    let manifest = archive.document(image);
    archive.image(&manifest);
    let saved = archive.json("manifest.json");
    assert_eq!(saved[0]["RepoTags"], serde_json::json!(["airbyte/source-pokeapi:1.2.3"]));
    let path_of = |descriptor: &Value| {
        Value::from(format!("blobs/{}", descriptor["digest"].as_str().unwrap().replace(':', "/")))
    };
    assert_eq!(saved[0]["Config"], path_of(&manifest["config"]));
    let layers = manifest["layers"].as_array().unwrap().iter().map(path_of);
    assert_eq!(saved[0]["Layers"], layers.collect::<Value>());
}

const BOTH: &str = "--binary amd64=program-amd64 --binary arm64=program-arm64 \
                    --busybox busybox-amd64 --busybox busybox-arm64";

#[test]
fn an_image_can_be_for_two_machines() {
    let workshop = Workshop::new();
    let digest = workshop.build_with("a/source-x:1", &format!("{BOTH} --oci layout -o image.tar"));
    let layout = Layout::of_folder(&workshop.path("layout"));
    let root = &layout.json("index.json")["manifests"][0];
    assert_eq!(root["digest"], digest.as_str());
    let images = layout.document(root);
    for (image, machine) in images["manifests"].as_array().unwrap().iter().zip(["amd64", "arm64"]) {
        assert_eq!(image["platform"], serde_json::json!({"architecture": machine, "os": "linux"}));
        let (config, layers) = layout.image(&layout.document(image));
        assert_eq!(config["architecture"], machine);
        let program = fs::read(workshop.path(&format!("program-{machine}"))).unwrap();
        assert_eq!(layers[1]["usr/local/bin/source-declarative-manifest"], program);
    }
}

#[test]
fn an_image_is_built_on_another() {
    let workshop = Workshop::new();
    let registry = Registry::start(None, true);
    let pushed = format!("{}/a/runtime:1", registry.host());
    workshop.build_with(&pushed, &format!("{BOTH} --oci runtime -o runtime.tar --push"));
    let from_layout = workshop.build_with("a/source-x:2", "--base runtime --oci layout");
    let from_archive = workshop.build_with("a/source-x:2", "--base runtime.tar");
    let from_registry = workshop.build_with("a/source-x:2", &format!("--base {pushed}"));
    assert_eq!((&from_layout, &from_layout), (&from_archive, &from_registry));
    let layout = Layout::of_folder(&workshop.path("layout"));
    let images = layout.document(&layout.json("index.json")["manifests"][0]);
    for image in images["manifests"].as_array().unwrap() {
        let (config, layers) = layout.image(&layout.document(image));
        assert_eq!(
            (layers.len(), &config["config"]["Labels"]["io.airbyte.version"]),
            (4, &"2".into())
        );
    }
    let blobs = registry.count("GET /v2/a/runtime/blobs/");
    workshop.build_with("a/source-x:3", &format!("--base {pushed}"));
    assert_eq!(registry.count("GET /v2/a/runtime/blobs/"), blobs, "layers are fetched once");
}

#[test]
fn an_image_is_pushed() {
    let workshop = Workshop::new();
    let registry = Registry::start(Some("me:pass:word"), true);
    workshop.log_in(&registry.host(), "me:pass:word");
    let tag = format!("{}/airbyte/source-x:1.0.0", registry.host());
    let digest = workshop.build(&tag, "--push");
    let manifest = registry.get("airbyte/source-x/manifests/1.0.0").unwrap();
    assert_eq!(self::digest(&manifest), digest);
    let blobs = registry.count("PUT /v2/airbyte/source-x/blobs/uploads/");
    assert_eq!(blobs, 3 + 1 + 2, "layers, config, bill of materials");
    assert_eq!(registry.count("GET /token"), 1);
    workshop.build(&tag, "--push");
    assert_eq!(registry.count("PUT /v2/airbyte/source-x/blobs/uploads/"), blobs);

    let both = format!("{}/airbyte/source-x:2.0.0", registry.host());
    let digest = workshop.build_with(&both, &format!("{BOTH} --push"));
    let index = registry.get("airbyte/source-x/manifests/2.0.0").unwrap();
    assert_eq!(self::digest(&index), digest);
    assert!(!registry.manifests().iter().any(|path| path.contains("/sha256-")));
}

#[test]
fn a_registry_that_knows_no_referrers_gets_a_tag_for_them() {
    let workshop = Workshop::new();
    let registry = Registry::start(None, false);
    let tag = format!("{}/airbyte/source-x:1.0.0", registry.host());
    let digest = workshop.build(&tag, "--push");
    let path = format!("airbyte/source-x/manifests/{}", digest.replace(':', "-"));
    let list = registry.get(&path).unwrap();
    workshop.build(&tag, "--push");
    assert_eq!(registry.get(&path).unwrap(), list);
    let list: Value = serde_json::from_slice(&list).unwrap();
    assert_eq!(list["manifests"].as_array().unwrap().len(), 1);
    assert_eq!(list["manifests"][0]["artifactType"], "application/vnd.cyclonedx+json");
}

#[test]
fn an_image_is_pushed_also_where_nothing_may_refer_to_it() {
    let workshop = Workshop::new();
    let registry = Registry::start(None, false);
    let tag = format!("{}/plain/source-x:1.0.0", registry.host());
    let args = "--binary program-amd64 --busybox busybox-amd64 --push";
    let Answer { code, stderr, .. } = workshop.run(&tag, args);
    assert!(code == 0 && registry.get("plain/source-x/manifests/1.0.0").is_some());
    let start = "warning: the bill of materials is not attached: the registry";
    let end = ": only images are stored here";
    let line = stderr.lines().next().unwrap();
    assert!(line.starts_with(start) && line.ends_with(end), "{stderr}");
}

/// A program that keeps the identity token of one registry.
#[cfg(unix)]
#[test]
fn logins_may_be_kept_by_a_program() {
    use std::os::unix::fs::PermissionsExt;

    let workshop = Workshop::new();
    let registry = Registry::start(Some("r3fresh"), true);
    let host = registry.host();
    let keeper = workshop.path("docker-credential-keeper");
    let script = format!(
        "#!/bin/sh\nread -r server || true\n\
         case $1/$server in\n\
         get/{host}) echo '{{\"Username\": \"<token>\", \"Secret\": \"r3fresh\"}}' ;;\n\
         *) echo 'credentials not found in native keychain'; exit 1 ;;\n\
         esac\n"
    );
    fs::write(&keeper, script).unwrap();
    fs::set_permissions(&keeper, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(workshop.path("config.json"), r#"{"credsStore": "keeper"}"#).unwrap();
    workshop.build(&format!("{host}/a/source-x:1"), "--push");
    assert_eq!(registry.count("POST /token"), 1);

    let other = Registry::start(Some("me:right"), true).host();
    let file = workshop.path("config.json").display().to_string();
    workshop.refuse(
        &format!("{other}/a/source-x:1"),
        "--push",
        &format!(
            "the registry {other} wants a login, and {file} has none for it; `docker login \
             {other}` makes one"
        ),
    );
}

#[test]
fn refusals_of_registries_are_sentences() {
    let workshop = Workshop::new();
    let registry = Registry::start(Some("me:right"), true);
    let host = registry.host();
    let file = workshop.path("config.json").display().to_string();
    let tag = |name: &str| format!("{host}/{name}");
    workshop.refuse(
        &tag("a/source-x:1"),
        "--push",
        &format!(
            "the registry {host} wants a login, and {file} has none for it; `docker login {host}` \
             makes one"
        ),
    );
    workshop.log_in(&host, "me:wrong");
    workshop.refuse(
        &tag("a/source-x:1"),
        "--push",
        &format!(
            "the registry {host} refuses the name or the password of `me` from {file}; `docker \
             login {host}` renews them"
        ),
    );
    workshop.log_in(&host, "me:right");
    workshop.refuse(
        &tag("readonly/source-x:1"),
        "--push",
        &format!(
            "the registry {host} does not permit `me` to push to readonly/source-x: requested \
             access to the resource is denied"
        ),
    );
    workshop.refuse(
        &tag("a/source-x:refused"),
        "--push",
        &format!("the registry {host} refuses a/source-x:refused: tags of this name are immutable"),
    );
    workshop.refuse_with(
        "a/source-x:1",
        &format!("--base {}", tag("a/missing:1")),
        &format!("the registry {host} has no image a/missing:1"),
    );
    workshop.refuse(
        "127.0.0.1:1/a/source-x:1",
        "--push",
        "the registry 127.0.0.1:1 cannot be reached: there is no connection to it",
    );
}

#[test]
fn what_cannot_be_built_is_explained() {
    let workshop = Workshop::new();
    workshop.refuse("a/source-x", "", "the image needs a version in its name: `a/source-x:1.0.0`");
    workshop.refuse_with(
        "a/source-x:1",
        "--binary arm64=program-amd64",
        "program-amd64 cannot be put into an image: it was given for arm64, but is for amd64",
    );
    workshop.refuse_with(
        "a/source-x:1",
        "--binary program-arm64 --busybox busybox-amd64",
        "the platform starts connectors with a shell, and there is no static busybox for arm64 to \
         be one; name one with `--busybox FILE` (Debian and Ubuntu: apt-get install \
         busybox-static), or build on an image that has a shell with `--base IMAGE`",
    );
    fs::create_dir(workshop.path("full")).unwrap();
    fs::write(workshop.path("full/notes"), "").unwrap();
    workshop.refuse(
        "a/source-x:1",
        "--oci full",
        "full is no OCI layout and not empty: nothing was written",
    );
    workshop.refuse(
        "a/source-x:1",
        "-o missing/image.tar",
        "cannot write missing/image.tar: no such file or directory",
    );
    workshop.refuse_with(
        "a/source-x:1",
        "--base full",
        "cannot build on full: it is neither an OCI layout nor an archive of `docker save`",
    );
    let Answer { code, stderr, .. } = workshop.run("a/Source:1", "");
    assert_eq!(code, 2);
    assert!(stderr.contains("`a/Source:1` cannot name an image"), "{stderr}");
}

#[test]
fn a_manifest_that_cannot_run_is_not_built() {
    let workshop = Workshop::new();
    fs::write(workshop.path("manifest.yaml"), "type: DeclarativeSource\n").unwrap();
    let mut command = command();
    command.current_dir(workshop.0.path()).args(["image", "build", ".", "-t", "a/source-x:1"]);
    let Answer { code, stderr, .. } = answer(&mut command, b"");
    assert_eq!(code, 1);
    assert!(stderr.contains("./manifest.yaml:1"), "{stderr}");
    assert!(
        stderr.ends_with("error: ./manifest.yaml cannot run, so no image was made\n"),
        "{stderr}"
    );
}
