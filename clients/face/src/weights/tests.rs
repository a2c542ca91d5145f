use super::*;

const SHARD: [u8; 10] = [0, 128, 255, 10, 20, 30, 0, 0, 0xC0, 0x3F];

fn manifest() -> serde_json::Value {
    serde_json::json!([{
        "weights": [
            {"name": "bytes", "shape": [2, 3], "dtype": "float32",
             "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0}},
            {"name": "floats", "shape": [1], "dtype": "float32"},
        ],
        "paths": ["test.bin"],
    }])
}

fn parse(manifest: &serde_json::Value, shard: &[u8]) -> Result<Tensors, Error> {
    Tensors::parse(manifest.to_string().as_bytes(), shard)
}

fn reason(result: Result<impl Sized, Error>) -> String {
    match result {
        Err(Error::PackageMalformed { reason }) => reason,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("accepted"),
    }
}

#[test]
fn bytes_are_dequantised_and_floats_are_read() {
    let mut tensors = parse(&manifest(), &SHARD).unwrap();
    let bytes = tensors.take("bytes", &[2, 3]).unwrap();
    assert_eq!(bytes.values, [-1.0, 63.0, 126.5, 4.0, 9.0, 14.0]);
    assert!(tensors.expect_empty().is_err());
    assert_eq!(tensors.take("floats", &[1]).unwrap().values, [1.5]);
    tensors.expect_empty().unwrap();
}

#[test]
fn a_shard_of_another_length_is_refused() {
    for end in 0..SHARD.len() {
        assert!(reason(parse(&manifest(), &SHARD[..end])).contains("ends within"));
    }
    let longer = [SHARD.as_slice(), &[0]].concat();
    assert!(reason(parse(&manifest(), &longer)).contains("1 bytes follow"));
}

#[test]
fn a_manifest_that_lies_is_refused() {
    let with = |pointer: &str, value: serde_json::Value| {
        let mut changed = manifest();
        *changed.pointer_mut(pointer).unwrap() = value;
        reason(parse(&changed, &SHARD))
    };
    let huge = serde_json::json!([u64::MAX, u64::MAX]);
    assert!(with("/0/weights/0/shape", huge).contains("ends within bytes"));
    assert!(with("/0/weights/0/dtype", "int32".into()).contains("type int32"));
    assert!(with("/0/weights/0/quantization/dtype", "uint16".into()).contains("uint16"));
    assert!(with("/0/weights/1/name", "bytes".into()).contains("listed twice"));
    assert!(with("/0/weights/0/name", serde_json::Value::Null).contains("manifest"));
}

#[test]
fn a_tensor_that_is_missing_or_of_another_shape_is_refused() {
    let mut tensors = parse(&manifest(), &SHARD).unwrap();
    assert!(reason(tensors.take("other", &[1])).contains("other is missing"));
    assert!(reason(tensors.take("bytes", &[3, 2])).contains("shape [2, 3]"));
}

#[test]
fn a_net_without_its_weights_is_refused() {
    let mut tensors = parse(&manifest(), &SHARD).unwrap();
    for net in Net::ALL {
        assert!(reason(net.convert(&mut tensors)).contains("is missing"));
    }
}

#[test]
fn a_tarball_with_another_digest_is_refused_unread() {
    let folder = tempfile::tempdir().unwrap();
    let tarball = folder.path().join("package.tgz");
    fs::write(&tarball, b"not the package").unwrap();
    let store = ModelStore::new(folder.path(), Source::Copy(tarball));
    let result = store.models(&mut |_| {});
    assert!(matches!(result, Err(Error::PackageTampered { .. })));
}

#[test]
fn a_package_that_cannot_be_had_says_how_to_give_it() {
    let folder = tempfile::tempdir().unwrap();
    for missing in ["missing.tgz", ""] {
        let store = ModelStore::new(folder.path(), Source::Copy(folder.path().join(missing)));
        let error = store.models(&mut |_| {}).err().unwrap();
        assert!(matches!(error, Error::PackageUnavailable { .. }));
        assert!(error.to_string().contains("BLINDPRINT_FACE_WEIGHTS"));
    }
}

/// Fetches the package into the user's own cache when it is not there yet.
#[test]
fn a_damaged_cache_is_noticed_and_rebuilt() {
    let models = ModelStore::from_env().unwrap().models(&mut |_| {}).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let offline = ModelStore::new(folder.path(), Source::Copy(folder.path().join("none")));
    for net in Net::ALL {
        replace(&offline.path(net), models.onnx(net)).unwrap();
    }
    assert!(offline.models(&mut |_| {}).is_ok());

    for net in Net::ALL {
        let mut damaged = models.onnx(net).to_vec();
        *damaged.last_mut().unwrap() ^= 1;
        replace(&offline.path(net), &damaged).unwrap();
        assert!(matches!(
            offline.models(&mut |_| {}),
            Err(Error::PackageUnavailable { .. })
        ));
        replace(&offline.path(net), models.onnx(net)).unwrap();
    }

    fs::write(offline.path(Net::Landmarks), b"").unwrap();
    let online = ModelStore::new(folder.path(), Source::Npm);
    let mut steps = Vec::new();
    online.models(&mut |step| steps.push(step)).unwrap();
    assert!(steps.contains(&Progress::Converting(Net::Landmarks)));
    assert!(offline.models(&mut |_| {}).is_ok());
    let left: Vec<_> = fs::read_dir(&online.folder).unwrap().collect();
    assert_eq!(left.len(), Net::ALL.len(), "scratch files stay: {left:?}");
}
