//! Windows in every way to slide, against JAX: convolutions, their transposes as layers, pools; conventions and mistakes.

use gradus::ops::{Conv, ConvTranspose, Pool};
use gradus::{Error, Float, Graph};
use ndarray::{Array, Array3, Array4, ArrayD, IxDyn, array};

use crate::support::{Referred, Rng, assert_close, check_references, panicked};

#[test]
fn convolutions_and_pools_are_jaxs() {
    let slide = ConvTranspose::new;
    let rows: &[Referred<'_>] = &[
        ("conv1d", &[&[2, 4, 9], &[6, 2, 3]], &|x| {
            x[0].conv(x[1], Conv::new().stride(2).padding_sides([(1, 2)]).dilation(3).groups(2))
        }),
        ("conv2d", &[&[2, 3, 5, 6], &[4, 3, 2, 3]], &|x| {
            let conv = Conv::new().stride([2, 1]).padding_sides([(0, 1), (2, 1)]).dilation([1, 2]);
            x[0].conv(x[1], conv)
        }),
        ("conv2d in groups", &[&[1, 4, 4, 5], &[6, 2, 3, 2]], &|x| {
            x[0].conv(x[1], Conv::new().stride([1, 2]).padding_sides([(1, 1), (0, 2)]).groups(2))
        }),
        ("conv3d", &[&[1, 4, 3, 4, 5], &[2, 2, 2, 1, 3]], &|x| {
            let conv = Conv::new().padding_sides([(1, 0), (0, 0), (0, 2)]).dilation([1, 1, 2]).groups(2);
            x[0].conv(x[1], conv.stride([1, 2, 1]))
        }),
        ("conv_transpose1d", &[&[2, 3, 4], &[3, 2, 3]], &|x| {
            x[0].conv_transpose(x[1], slide().stride(2).padding(1).output_padding(1))
        }),
        ("conv_transpose1d longer than the padding", &[&[2, 2, 4], &[2, 1, 2]], &|x| {
            x[0].conv_transpose(x[1], slide().stride(3).output_padding(2))
        }),
        ("conv_transpose1d dilated", &[&[1, 2, 4], &[2, 2, 3]], &|x| {
            x[0].conv_transpose(x[1], slide().padding(1).output_padding(2).dilation(3))
        }),
        ("conv_transpose2d", &[&[1, 2, 3, 3], &[2, 3, 3, 2]], &|x| {
            x[0].conv_transpose(x[1], slide().stride(2))
        }),
        ("conv_transpose2d in groups", &[&[2, 4, 3, 2], &[4, 3, 2, 3]], &|x| {
            let slide = slide().stride([2, 3]).padding([1, 0]).output_padding([0, 1]);
            x[0].conv_transpose(x[1], slide.dilation([2, 1]).groups(2))
        }),
        ("conv_transpose3d", &[&[1, 2, 2, 3, 2], &[2, 2, 2, 2, 3]], &|x| {
            let slide = slide().stride([1, 2, 3]).padding([0, 1, 2]).output_padding([0, 1, 2]);
            x[0].conv_transpose(x[1], slide.dilation([1, 2, 1]))
        }),
        ("max_pool1d", &[&[2, 2, 7]], &|x| x[0].max_pool(Pool::new(3).stride(2).padding(1))),
        ("max_pool2d", &[&[1, 2, 5, 4]], &|x| {
            x[0].max_pool(Pool::new([3, 2]).stride([2, 1]).padding_sides([(1, 1), (0, 1)]))
        }),
        ("max_pool3d", &[&[1, 2, 3, 4, 5]], &|x| {
            let pool = Pool::new([2, 2, 3]).stride([1, 2, 2]);
            x[0].max_pool(pool.padding_sides([(0, 0), (1, 1), (0, 1)]))
        }),
        ("avg_pool1d", &[&[2, 2, 7]], &|x| x[0].avg_pool(Pool::new(3).stride(2).padding(1))),
        ("avg_pool2d inside", &[&[1, 2, 5, 4]], &|x| {
            let pool = Pool::new([3, 2]).stride([2, 1]).padding_sides([(1, 1), (0, 1)]);
            x[0].avg_pool(pool.count_include_pad(false))
        }),
        ("avg_pool3d", &[&[1, 2, 3, 4, 5]], &|x| {
            let pool = Pool::new([2, 2, 3]).stride([1, 2, 2]);
            x[0].avg_pool(pool.padding_sides([(0, 0), (1, 1), (0, 1)]))
        }),
        ("global_avg_pool", &[&[2, 3, 2, 4]], &|x| x[0].global_avg_pool()),
    ];
    check_references(89, rows);
}

/// A transposed convolution and its gradients, in `T`.
fn transposed<T: Float>(x: &ArrayD<f64>, w: &ArrayD<f64>, conv: &ConvTranspose) -> [ArrayD<f64>; 3] {
    let g = Graph::new();
    let cast = |array: &ArrayD<f64>| array.mapv(T::from_f64);
    let (x, w) = (g.input("x", cast(x)), g.input("w", cast(w)));
    let y = x.conv_transpose(w, conv.clone());
    let c = Rng(90).array(&y.shape(), -1.0, 1.0);
    let [dx, dw] = (y * g.constant(cast(&c))).sum().grad([x, w]);
    [y, dx, dw].map(|e| e.value().unwrap().mapv(T::to_f64))
}

#[test]
fn a_transposed_convolution_undoes_shapes_and_scatters() {
    let mut rng = Rng(91);
    for (x, w, conv) in [
        (&[3, 6, 9, 8][..], &[6, 5, 3, 3][..], ConvTranspose::new().stride(2).padding(1).output_padding(1)),
        (&[2, 6, 5, 5], &[6, 4, 2, 3], ConvTranspose::new().groups(3).dilation(2)),
        (&[9, 33, 7], &[33, 17, 4], ConvTranspose::new().stride(3).padding(2)),
        (&[0, 2, 4], &[2, 3, 2], ConvTranspose::new()),
    ] {
        let (x, w) = (rng.array(x, -1.0, 1.0), rng.array(w, -1.0, 1.0));
        let [double, single] = [transposed::<f64>(&x, &w, &conv), transposed::<f32>(&x, &w, &conv)];
        for (single, double) in single.iter().zip(&double) {
            let scale = double.iter().fold(1.0_f64, |max, x| max.max(x.abs()));
            assert_close(&(single / scale), &(double / scale), 1e-5);
        }
    }
    // One element of the input is the weights, at its place.
    let g = Graph::new();
    let w = array![[[1.0, 2.0, 3.0]]];
    let x = g.input("x", array![[[0.0, 10.0, 0.0]]]);
    let whole = x.conv_transpose(&w, ConvTranspose::new().stride(2)).value().unwrap();
    assert_eq!(whole, array![[[0.0, 0.0, 10.0, 20.0, 30.0, 0.0, 0.0]]].into_dyn());
    let cut = x.conv_transpose(&w, ConvTranspose::new().stride(2).padding(2).output_padding(1));
    assert_eq!(cut.value().unwrap(), array![[[10.0, 20.0, 30.0, 0.0]]].into_dyn());
    let longer = x.conv_transpose(&w, ConvTranspose::new().stride(3).output_padding(2)).value().unwrap();
    assert_eq!(longer.as_slice().unwrap()[3..], [10.0, 20.0, 30.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn methods_for_each_number_of_axes() {
    let g = Graph::new();
    let count = |shape: &[usize]| {
        let n = shape.iter().product::<usize>();
        Array::from_iter((0..n).map(|i| i as f64)).into_shape_with_order(IxDyn(shape)).unwrap()
    };
    let line = g.input("line", count(&[1, 1, 5]));
    let cube = g.input("cube", count(&[1, 1, 2, 2, 4]));
    assert_eq!(
        line.conv1d(Array3::<f64>::ones((1, 1, 4))).value().unwrap(),
        array![[[6.0, 10.0]]].into_dyn()
    );
    assert_eq!(line.max_pool1d(2, 2).value().unwrap(), array![[[1.0, 3.0]]].into_dyn());
    assert_eq!(line.avg_pool1d(2, 3).value().unwrap(), array![[[0.5, 3.5]]].into_dyn());
    assert_eq!(
        cube.conv3d(ArrayD::<f64>::ones(IxDyn(&[2, 1, 2, 2, 4]))).value().unwrap().as_slice(),
        Some(&[120.0; 2][..])
    );
    assert_eq!(cube.max_pool3d(2, 2).value().unwrap().as_slice(), Some(&[13.0, 15.0][..]));
    assert_eq!(cube.avg_pool3d(2, 2).value().unwrap().as_slice(), Some(&[6.5, 8.5][..]));
    assert_eq!(cube.global_avg_pool().value().unwrap(), array![[7.5]].into_dyn());
    let text = panicked(|| line.conv3d(Array3::<f64>::ones((1, 1, 4)))).text;
    assert!(text.starts_with("`conv` requires one stride or one for each of the 1 spatial axes"), "{text}");
}

#[test]
fn batches_of_any_size() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [2, 3, 4, 4]);
    let w = g.input("w", Array4::<f64>::ones((3, 2, 2, 2)));
    let y = x.conv_transpose(w, ConvTranspose::new().stride(2)).global_avg_pool();
    let [dx, dw] = y.sum().grad([x, w]);
    let mut program = g.compile((y, dx, dw), ()).unwrap();
    for (n, size) in [(2, 4), (0, 4), (5, 3)] {
        let (y, dx, dw) = program.run_with(&[x.feed(&Array4::<f64>::ones((n, 3, size, size)))]).unwrap();
        assert_eq!(y, ArrayD::from_elem(IxDyn(&[n, 2]), 3.0));
        assert_close(
            &dx.to_owned(),
            &ArrayD::from_elem(IxDyn(&[n, 3, size, size]), 2.0 / (size * size) as f64),
            1e-15,
        );
        assert_close(&dw.to_owned(), &ArrayD::from_elem(IxDyn(&[3, 2, 2, 2]), n as f64 / 4.0), 1e-15);
    }
    let error = program.run_with(&[x.feed(&Array4::<f64>::ones((2, 3, 0, 4)))]).unwrap_err();
    assert!(matches!(error, Error::AtRun { .. }), "{error}");
    let text = "at least 1 element along every spatial axis, got 0 (axis 2)";
    assert!(error.to_string().contains(text), "{error}");
}

#[test]
fn transposed_convolutions_that_do_not_fit() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [2, 4, 5, 1]);
    let w = g.placeholder::<f64>("w", [4, 2, 3, 3]);
    let v = g.placeholder::<f64>("v", [3, 2, 3, 3]);
    let flat = g.placeholder::<f64>("flat", [4, 2]);
    let slide = ConvTranspose::new;
    for (panic, text) in [
        (
            panicked(|| flat.conv_transpose(w, slide())),
            "(batch, channels, ..) with 1 to 3 spatial axes, got (4, 2)",
        ),
        (
            panicked(|| x.conv_transpose(flat, slide())),
            "weights with as many axes as the input, got (2, 4, 5, 1) and (4, 2)",
        ),
        (
            panicked(|| x.conv_transpose(v, slide())),
            "(batch, c, ..) and (c, outputs / groups, ..), got (2, 4, 5, 1) and (3, 2, 3, 3): 4 != 3",
        ),
        (
            panicked(|| x.conv_transpose(w, slide().groups(3))),
            "channels that are divided by the 3 groups, got 4",
        ),
        (panicked(|| x.conv_transpose(w, slide().groups(0))), "at least 1 group, got 0"),
        (
            panicked(|| x.conv_transpose(w, slide().padding([0, 2]))),
            "a result of at least 1, got -1 (axis 3)",
        ),
        (panicked(|| x.conv_transpose(w, slide().stride(0))), "a stride of at least 1, got 0"),
        (
            panicked(|| x.conv_transpose(w, slide().stride(2).output_padding([1, 2]))),
            "an output padding below the stride or the dilation, got 2 for 2 and 1 (axis 3)",
        ),
        (
            panicked(|| x.conv_transpose(w, slide().output_padding([0, 0, 0]))),
            "one output padding or one for each of the 2 spatial axes, got [0, 0, 0]",
        ),
    ] {
        let text = format!("`conv_transpose` requires {text}\n  operand: `");
        assert!(panic.text.starts_with(&text), "{}", panic.text);
        assert_eq!(panic.file, file!());
    }
    let text = panicked(|| flat.global_avg_pool()).text;
    assert!(
        text.starts_with("`global_avg_pool` requires (batch, channels, ..) with spatial axes, got (4, 2)")
    );
    let slide = slide().stride([2, 1]).padding(1).output_padding([1, 0]);
    assert_eq!(
        x.conv_transpose(w, slide).to_string(),
        "x.conv_transpose(w, stride [2, 1], padding 1, output padding [1, 0])"
    );
}
