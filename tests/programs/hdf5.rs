//! A folder of HDF5 files, which the feature `hdf5` reads.

use std::fs;

use hdf5_pure::{DatasetBuilder, FileBuilder};

use crate::bad_input::{Given, MISSING, broken, given, good};
use crate::support::{folder, run, text, write_npz};

const TRAIN: &str = "pictures/train_catvnoncat.h5";
const TEST: &str = "pictures/test_catvnoncat.h5";

/// How a data set is made.
type Make = fn(&mut DatasetBuilder);

fn h5(data_sets: &[(&str, Make)]) -> Vec<u8> {
    let mut file = FileBuilder::new();
    for (name, make) in data_sets {
        make(file.create_dataset(name));
    }
    file.finish().unwrap()
}

/// The pictures of [`good`], whose labels are called dark and bright.
fn train() -> Vec<(&'static str, Make)> {
    vec![
        ("train_set_x", |x| {
            let pixels: Vec<u8> = [200, 21, 202, 23, 204, 25].iter().flat_map(|&x| [x; 4]).collect();
            x.with_u8_data(&pixels).with_shape(&[6, 2, 2]);
        }),
        ("train_set_y", |y| {
            y.with_i64_data(&[1, 0, 1, 0, 1, 0]);
        }),
        ("list_classes", |names| {
            names.with_ascii_strings(&["dark", "bright"]).unwrap();
        }),
    ]
}

fn test() -> Vec<(&'static str, Make)> {
    vec![
        ("test_set_x", |x| {
            x.with_u8_data(&[200, 200, 200, 200, 21, 21, 21, 21]).with_shape(&[2, 2, 2]);
        }),
        ("test_set_y", |y| {
            y.with_i64_data(&[1, 0]);
        }),
    ]
}

#[test]
fn a_folder_gives_what_an_archive_gives() {
    let here = folder("hdf5");
    let [pictures, archive, out, bright] = ["pictures", "data.npz", "out", "bright.png"]
        .map(|name| here.join(name).to_str().unwrap().to_owned());
    fs::create_dir(&pictures).unwrap();
    fs::write(here.join(TRAIN), h5(&train())).unwrap();
    fs::write(here.join(TEST), h5(&test())).unwrap();
    write_npz(here.join("data.npz").as_path(), true, &good());
    image::GrayImage::from_pixel(5, 3, image::Luma([210])).save(&bright).unwrap();

    let [of_folder, of_archive] = [&pictures, &archive].map(|data| {
        let done = run(
            "logistic_regression",
            &[
                "--data",
                data,
                "--out",
                &out,
                "--iterations",
                "301",
                "--learning-rate",
                "1",
                "--predict",
                &bright,
            ],
        );
        assert!(done.status.success(), "{}", text(&done.stderr));
        let files =
            ["costs.csv", "model.safetensors"].map(|file| fs::read(here.join("out").join(file)).unwrap());
        (text(&done.stdout), files)
    });
    assert!(of_folder.1 == of_archive.1);
    assert!(of_folder.0.starts_with(&format!("Question: the labels of {pictures}, dark or bright?\n")));
    assert!(of_archive.0.starts_with(&format!("Question: the labels of {archive}, no or yes?\n")));
    let answer = |printed: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(&format!("{bright}: ")));
        line.map(|answer| answer.split_once(", with probability ").unwrap())
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
    };
    let (dark_or_bright, no_or_yes) = (answer(&of_folder.0).unwrap(), answer(&of_archive.0).unwrap());
    assert_eq!((dark_or_bright.0.as_str(), no_or_yes.0.as_str()), ("bright", "yes"));
    assert_eq!(dark_or_bright.1, no_or_yes.1);
    fs::remove_dir_all(here).unwrap();
}

fn data() -> Given {
    given("logistic_regression", "--data pictures --iterations 1")
}

/// What is said of a folder in which a data set is another.
#[track_caller]
fn data_set(name: &str, make: Make, what: &str) {
    let mut files = [train(), test()];
    let sets = files.iter_mut().flatten();
    sets.into_iter().find(|(set, _)| *set == name).unwrap().1 = make;
    let [train, test] = files.map(|file| h5(&file));
    data().file(TRAIN, train).file(TEST, test).ends(1, what);
}

#[test]
fn files_of_a_folder() {
    let whole = h5(&train());
    data().file("pictures/readme", "").ends(1, &format!("{TRAIN}: {MISSING}"));
    data().file(TRAIN, whole.clone()).ends(1, &format!("{TEST}: {MISSING}"));
    let no_hdf5 = "expected an HDF5 file: HDF5 format error: HDF5 signature not found at any valid offset";
    data().file(TRAIN, "").file(TEST, h5(&test())).ends(1, &format!("{TRAIN}: {no_hdf5}"));
    data().file(TRAIN, whole.clone()).file(TEST, "a,b\n").ends(1, &format!("{TEST}: {no_hdf5}"));
    let cut = &whole[..whole.len() / 2];
    let end = "expected an HDF5 file: HDF5 format error: unexpected EOF: need 253 bytes, have 237";
    data().file(TRAIN, cut).file(TEST, h5(&test())).ends(1, &format!("{TRAIN}: {end}"));
    let names = r#"expected train_set_x and train_set_y, found ["train_set_x"]"#;
    data().file(TRAIN, h5(&train()[..1])).file(TEST, h5(&test())).ends(1, &format!("{TRAIN}: {names}"));
}

#[test]
fn data_sets() {
    let strings: Make = |x| {
        x.with_ascii_strings(&["a", "b"]).unwrap();
    };
    let says = format!("{TRAIN}: train_set_x cannot be read: expected integers or floats, found string");
    data_set("train_set_x", strings, &says);
    let scalar: Make = |x| {
        x.with_u8_data(&[1]).with_shape(&[]);
    };
    let says = format!("{TRAIN}: expected train_set_x of shape (m, …), m pictures, found []");
    data_set("train_set_x", scalar, &says);
    let nan: Make = |x| {
        x.with_f64_data(&[0.0, 1.0, f64::NAN, 0.0]).with_shape(&[1, 2, 2]);
    };
    let says = format!("{TEST}: expected finite numbers in test_set_x, found NaN at [0, 1, 0]");
    data_set("test_set_x", nan, &says);
    let small: Make = |x| {
        x.with_u8_data(&[0; 6]).with_shape(&[2, 3]);
    };
    let says = "pictures: expected pictures of one shape, found train_set_x [6, 2, 2] and test_set_x [2, 3]";
    data_set("test_set_x", small, says);
    let two: Make = |y| {
        y.with_i64_data(&[1, 0, 1, 0, 1, 2]);
    };
    data_set("train_set_y", two, &format!("{TRAIN}: expected labels 0 and 1 in train_set_y, found 2"));
    let one: Make = |y| {
        y.with_i64_data(&[1]);
    };
    let says = "expected test_set_y of shape [2] or [1, 2], a label for each picture, found [1]";
    data_set("test_set_y", one, &format!("{TEST}: {says}"));
    let three: Make = |names| {
        names.with_ascii_strings(&["cat", "dog", "cow"]).unwrap();
    };
    let says = r#"expected two names in list_classes, found ["cat", "dog", "cow"]"#;
    data_set("list_classes", three, &format!("{TRAIN}: {says}"));
    let numbers: Make = |names| {
        names.with_u8_data(&[0, 1]);
    };
    let says =
        "list_classes cannot be read: HDF5 format error: type mismatch: expected String, got FixedPoint";
    data_set("list_classes", numbers, &format!("{TRAIN}: {says}"));
}

#[test]
fn a_broken_file_is_an_error_or_data() {
    let test = [(TEST, h5(&test()))];
    broken(TRAIN, &h5(&train()), &test, &["--data", "pictures", "--iterations", "1"]);
}
