//! Pictures of the user's own: how they are converted, and what is answered.

use std::fs;
use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{DynamicImage, ExtendedColorType, GrayImage, ImageEncoder, Luma, Rgb, RgbImage, Rgba, RgbaImage};

use crate::bad_input::{bytes, model};
use crate::support::{folder, printed, write_npz};

/// Weights of n pixels that are all different, so that no two may be swapped.
fn weights(n: usize) -> Vec<f64> {
    (0..n).map(|k| ((k * k) as f64 * 0.37).sin()).collect()
}

const BIAS: f64 = 0.25;

/// The answer of [`weights`] to bytes, as it is printed.
fn expected(x: &[f64]) -> String {
    let numbers = x.iter().map(|byte| byte.round() / 255.0);
    let z: f64 = numbers.zip(weights(x.len())).map(|(x, w)| x * w).sum::<f64>() + BIAS;
    let a = 1.0 / (1.0 + (-z).exp());
    if a > 0.5 {
        format!("yes, with probability {a:.4}")
    } else {
        format!("no, with probability {:.4}", 1.0 - a)
    }
}

/// The answers to these files, in their order.
fn answers(here: &Path, files: &[&str], arguments: &[&str]) -> Vec<String> {
    let paths: Vec<_> = files.iter().map(|file| here.join(file).to_str().unwrap().to_owned()).collect();
    let predict = paths.iter().flat_map(|path| ["--predict", path]);
    let page = printed("logistic_regression", &arguments.iter().copied().chain(predict).collect::<Vec<_>>());
    let answer = |path: &String| page.lines().find_map(|line| line.strip_prefix(&format!("{path}: ")));
    paths.iter().map(|path| answer(path).unwrap_or_else(|| panic!("{page}")).to_owned()).collect()
}

/// 8×8 bytes.
fn grey() -> Vec<u8> {
    (0..64_u32).map(|k| (k * 97 % 251) as u8).collect()
}

fn at(x: u32, y: u32) -> u8 {
    grey()[(8 * y + x) as usize]
}

#[test]
fn pictures_become_grey_digits() {
    let here = folder("own-grey");
    let file = here.join("model.safetensors");
    fs::write(&file, model(&weights(64), &[BIAS])).unwrap();
    let bytes: Vec<f64> = grey().into_iter().map(f64::from).collect();
    let colours = |x, y| [at(x, y), at(y, x), 255 - at(x, y)];
    let mix = |k: u32, grey: fn([f64; 4]) -> f64| {
        let [r, g, b] = colours(k % 8, k / 8).map(f64::from);
        grey([r, g, b, f64::from(at(k / 8, k % 8)) / 255.0])
    };
    let luma = |[r, g, b, _]: [f64; 4]| 0.2126 * r + 0.7152 * g + 0.0722 * b;
    let seen =
        |[r, g, b, alpha]: [f64; 4]| 255.0 * (1.0 - alpha) + alpha * (0.2126 * r + 0.7152 * g + 0.0722 * b);
    let corner = |k: usize| f64::from([10_u8, 90, 170, 250][k / 32 * 2 + k % 8 / 4]);
    // 12 pixels for 8: each covers one of them and half of another.
    let wide = |k: u32| {
        let (first, y) = (3 * (k % 8 / 2), k / 8);
        let [whole, half] = if k.is_multiple_of(2) { [first, first + 1] } else { [first + 2, first + 1] };
        (2.0 * f64::from(at(whole % 8, y)) + f64::from(at(half % 8, y))) / 3.0
    };

    let cases: Vec<(&str, DynamicImage, Vec<f64>)> = vec![
        ("as-it-is.png", GrayImage::from_fn(8, 8, |x, y| Luma([at(x, y)])).into(), bytes.clone()),
        ("larger.png", GrayImage::from_fn(24, 40, |x, y| Luma([at(x / 3, y / 5)])).into(), bytes.clone()),
        ("larger.jpg", GrayImage::from_fn(64, 64, |x, y| Luma([at(x / 8, y / 8)])).into(), bytes.clone()),
        (
            "smaller.png",
            GrayImage::from_fn(2, 2, |x, y| Luma([[10, 90, 170, 250][(2 * y + x) as usize]])).into(),
            (0..64).map(corner).collect(),
        ),
        (
            "wide.png",
            GrayImage::from_fn(12, 8, |x, y| Luma([at(x % 8, y)])).into(),
            (0..64).map(wide).collect(),
        ),
        (
            "colours.png",
            RgbImage::from_fn(8, 8, |x, y| Rgb(colours(x, y))).into(),
            (0..64).map(|k| mix(k, luma)).collect(),
        ),
        (
            "transparent.png",
            RgbaImage::from_fn(8, 8, |x, y| {
                let [r, g, b] = colours(x, y);
                Rgba([r, g, b, at(y, x)])
            })
            .into(),
            (0..64).map(|k| mix(k, seen)).collect(),
        ),
        (
            "sixteen-bits.png",
            image::ImageBuffer::<Luma<u16>, _>::from_fn(8, 8, |x, y| Luma([257 * u16::from(at(x, y))]))
                .into(),
            bytes,
        ),
    ];
    let names: Vec<&str> = cases.iter().map(|&(name, ..)| name).collect();
    for (name, picture, _) in &cases {
        picture.save(here.join(name)).unwrap();
    }
    let load = ["--load", file.to_str().unwrap()];
    let found = answers(&here, &names, &load);
    let inverted = answers(&here, &names, &[&load[..], &["--invert"]].concat());
    for (((name, _, x), found), inverted) in cases.iter().zip(found).zip(inverted) {
        assert_eq!(found, expected(x), "{name}");
        let x: Vec<f64> = x.iter().map(|x| 255.0 - x).collect();
        assert_eq!(inverted, expected(&x), "{name}, inverted");
    }
    fs::remove_dir_all(here).unwrap();
}

#[test]
fn pictures_become_coloured_ones() {
    let here = folder("own-colours");
    let (data, file) = (here.join("data.npz"), here.join("model.safetensors"));
    let entries = [
        ("train_x", bytes("(1, 2, 3, 3)", &[7; 18])),
        ("train_y", bytes("(1,)", &[1])),
        ("test_x", bytes("(1, 2, 3, 3)", &[7; 18])),
        ("test_y", bytes("(1,)", &[1])),
    ];
    write_npz(&data, true, &entries);
    fs::write(&file, model(&weights(18), &[BIAS])).unwrap();
    let pixels: Vec<u8> = (0..18_u8).map(|k| 13 * k + 3).collect();
    RgbImage::from_raw(3, 2, pixels.clone()).unwrap().save(here.join("colours.png")).unwrap();
    GrayImage::from_raw(3, 2, pixels[..6].to_vec()).unwrap().save(here.join("grey.png")).unwrap();
    let x: Vec<f64> = pixels.iter().map(|&byte| byte.into()).collect();
    let tripled: Vec<f64> = (0..18).map(|k| x[k / 3]).collect();

    // Turned by the camera: the file has the rows of the picture as columns, from the right to the left.
    let turned: Vec<u8> = (0..18).map(|k| pixels[9 * (k / 3 % 2) + 3 * (2 - k / 6) + k % 3]).collect();
    let mut png = Vec::new();
    let mut encoder = PngEncoder::new(&mut png);
    encoder.set_exif_metadata(orientation(6)).unwrap();
    encoder.write_image(&turned, 2, 3, ExtendedColorType::Rgb8).unwrap();
    fs::write(here.join("turned.png"), png).unwrap();

    let [d, m] = [&data, &file].map(|path| path.to_str().unwrap());
    let found = answers(&here, &["colours.png", "grey.png", "turned.png"], &["--data", d, "--load", m]);
    assert_eq!(found, [expected(&x), expected(&tripled), expected(&x)]);
    fs::remove_dir_all(here).unwrap();
}

/// Metadata in which a camera says how it was held.
fn orientation(how: u8) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x01\0".to_vec();
    exif.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, how, 0, 0, 0]);
    exif.extend([0; 4]);
    exif
}

/// The first learning rate answers, and what it saves answers again.
#[test]
fn a_trained_model_answers_as_the_saved_one() {
    let here = folder("own-trained");
    GrayImage::from_fn(8, 8, |x, y| Luma([at(x, y)])).save(here.join("my.png")).unwrap();
    let out = here.join("out");
    let saved = out.join("model.safetensors");
    for dtype in ["f32", "f64"] {
        let train =
            ["--iterations", "20", "--learning-rate", "0.5", "--learning-rate", "0.001", "--dtype", dtype];
        let arguments = [&train[..], &["--out", out.to_str().unwrap()]].concat();
        let trained = answers(&here, &["my.png"], &arguments);
        let loaded = answers(&here, &["my.png"], &["--dtype", dtype, "--load", saved.to_str().unwrap()]);
        assert_eq!(trained, loaded, "{dtype}");
    }
    fs::remove_dir_all(here).unwrap();
}
