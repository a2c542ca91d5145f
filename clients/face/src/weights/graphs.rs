//! The three nets as ONNX graphs, layer by layer as face-api.js 1.7.15 runs them.
//!
//! TensorFlow keeps kernels as (height, width, in, out) and pictures channel by channel within a
//! pixel; ONNX as (out, in, height, width) and plane by plane.

use super::{
    onnx::{Graph, Kernel, Padding, Wire},
    shards::Tensors,
};
use crate::Error;

/// `TinyYolov2` with a plain first layer: 416 × 416 pixels to 13 × 13 cells × 5 anchors × 5 values.
pub(super) fn detector(tensors: &mut Tensors) -> Result<Vec<u8>, Error> {
    const MEAN: [f32; 3] = [117.001, 114.697, 97.404];
    const SLOPE: f32 = 0.1;
    const CHANNELS: [usize; 6] = [16, 32, 64, 128, 256, 512];
    let (mut graph, input) = Graph::new("tiny_face_detector", 416);
    let normalised = graph.normalise(&input, MEAN);

    let first = plain_kernel(tensors, "conv0", [3, 3, 3, CHANNELS[0]])?;
    let out = graph.conv("conv0", &normalised, &first, 1, Padding::Valid);
    let mut out = graph.leaky_relu("conv0/leaky", &out, SLOPE);
    for (index, pair) in CHANNELS.windows(2).enumerate() {
        let name = format!("conv{}", index + 1);
        out = graph.max_pool(&format!("{name}/pool"), &out, 2, 2, Padding::Same);
        out = separable(&mut graph, tensors, &name, &out, [pair[0], pair[1]], 1)?;
        out = graph.leaky_relu(&format!("{name}/leaky"), &out, SLOPE);
    }
    // This pool keeps the 13 × 13 cells.
    out = graph.max_pool("conv8/pool", &out, 2, 1, Padding::Same);
    let last = plain_kernel(tensors, "conv8", [1, 1, CHANNELS[5], 25])?;
    out = graph.conv("conv8", &out, &last, 1, Padding::Valid);
    Ok(graph.finish(&out, &[1, 25, 13, 13]))
}

/// Four densely connected blocks: 112 × 112 pixels to 68 points (x, y) relative to the side.
pub(super) fn landmarks(tensors: &mut Tensors) -> Result<Vec<u8>, Error> {
    let (mut graph, input) = Graph::new("face_landmark_68", 112);
    let mut out = graph.normalise(&input, FACE_MEAN);
    for (block, [from, to]) in [[3, 32], [32, 64], [64, 128], [128, 256]]
        .into_iter()
        .enumerate()
    {
        out = dense_block(
            &mut graph,
            tensors,
            &format!("dense{block}"),
            &out,
            from,
            to,
        )?;
    }
    let features = graph.channel_means("features", &out);
    let weights = tensors.take("fc/weights", &[256, 136])?.values;
    let bias = tensors.take("fc/bias", &[136])?.values;
    let points = graph.fully_connected("fc", &features, [256, 136], &weights, Some(&bias));
    Ok(graph.finish(&points, &[1, 136]))
}

/// dlib's `ResNet` with 29 convolutions: 150 × 150 pixels to a descriptor of 128 values.
pub(super) fn recognition(tensors: &mut Tensors) -> Result<Vec<u8>, Error> {
    let (mut graph, input) = Graph::new("face_recognition", 150);
    let normalised = graph.normalise(&input, FACE_MEAN);

    let first = scaled_kernel(tensors, "conv32_down", [7, 7, 3, 32])?;
    let out = graph.conv("conv32_down", &normalised, &first, 2, Padding::Valid);
    let out = graph.relu("conv32_down/relu", &out);
    let mut block = Residual {
        out: graph.max_pool("conv32_down/pool", &out, 3, 2, Padding::Valid),
        channels: 32,
        side: 35,
        graph,
        tensors,
    };
    for name in ["conv32_1", "conv32_2", "conv32_3"] {
        block.keep(name)?;
    }
    block.halve("conv64_down", 64)?;
    for name in ["conv64_1", "conv64_2", "conv64_3"] {
        block.keep(name)?;
    }
    block.halve("conv128_down", 128)?;
    for name in ["conv128_1", "conv128_2"] {
        block.keep(name)?;
    }
    block.halve("conv256_down", 256)?;
    for name in ["conv256_1", "conv256_2"] {
        block.keep(name)?;
    }
    block.halve("conv256_down_out", 256)?;

    let Residual { mut graph, out, .. } = block;
    let features = graph.channel_means("features", &out);
    let weights = tensors.take("fc", &[256, 128])?.values;
    let descriptor = graph.fully_connected("fc", &features, [256, 128], &weights, None);
    Ok(graph.finish(&descriptor, &[1, 128]))
}

/// Mean red, green and blue of the faces that the landmark and recognition nets were trained on.
const FACE_MEAN: [f32; 3] = [122.782, 117.001, 104.298];

/// The residual part of the recognition net: where it is, and how wide.
struct Residual<'a> {
    graph: Graph,
    tensors: &'a mut Tensors,
    out: Wire,
    channels: usize,
    side: usize,
}

impl Residual<'_> {
    /// A block that keeps the shape: out = relu(x + conv2(relu(conv1(x)))).
    fn keep(&mut self, name: &str) -> Result<(), Error> {
        let inner = self.convolutions(name, self.channels, 1, Padding::Same)?;
        let sum = self.graph.add(&format!("{name}/sum"), &self.out, &inner);
        self.out = self.graph.relu(&format!("{name}/out"), &sum);
        Ok(())
    }

    /// A block that halves the sides. Where the pooled input and the convolutions differ in
    /// shape, the smaller one is filled up with zeros.
    fn halve(&mut self, name: &str, channels: usize) -> Result<(), Error> {
        let inner_side = (self.side - 3) / 2 + 1;
        let pooled_side = self.side / 2;
        let mut inner = self.convolutions(name, channels, 2, Padding::Valid)?;
        if inner_side < pooled_side {
            let missing = pooled_side - inner_side;
            inner = self.graph.pad(&format!("{name}/inner"), &inner, 0, missing);
        }
        let mut pooled = self
            .graph
            .average_pool(&format!("{name}/pool"), &self.out, 2, 2);
        if self.channels < channels {
            let missing = channels - self.channels;
            pooled = self
                .graph
                .pad(&format!("{name}/pooled"), &pooled, missing, 0);
        }
        let sum = self.graph.add(&format!("{name}/sum"), &pooled, &inner);
        self.out = self.graph.relu(&format!("{name}/out"), &sum);
        self.channels = channels;
        self.side = pooled_side;
        Ok(())
    }

    fn convolutions(
        &mut self,
        name: &str,
        channels: usize,
        stride: usize,
        padding: Padding,
    ) -> Result<Wire, Error> {
        let (first, second) = (format!("{name}/conv1"), format!("{name}/conv2"));
        let kernel = scaled_kernel(self.tensors, &first, [3, 3, self.channels, channels])?;
        let out = self.graph.conv(&first, &self.out, &kernel, stride, padding);
        let out = self.graph.relu(&format!("{first}/relu"), &out);
        let kernel = scaled_kernel(self.tensors, &second, [3, 3, channels, channels])?;
        Ok(self.graph.conv(&second, &out, &kernel, 1, Padding::Same))
    }
}

/// A block of the landmark net: each of four layers sees the sum of all before it.
fn dense_block(
    graph: &mut Graph,
    tensors: &mut Tensors,
    name: &str,
    input: &Wire,
    from: usize,
    to: usize,
) -> Result<Wire, Error> {
    let first = format!("{name}/conv0");
    let out = if from == 3 {
        let kernel = plain_kernel(tensors, &first, [3, 3, from, to])?;
        graph.conv(&first, input, &kernel, 2, Padding::Same)
    } else {
        separable(graph, tensors, &first, input, [from, to], 2)?
    };
    let mut sum = graph.relu(&format!("{first}/relu"), &out);
    // The sum of the raw outputs flows on; each layer reads it through a ReLU.
    let mut read = sum.clone();
    for layer in 1..4 {
        let name = format!("{name}/conv{layer}");
        let out = separable(graph, tensors, &name, &read, [to, to], 1)?;
        sum = graph.add(&format!("{name}/sum"), &sum, &out);
        read = graph.relu(&format!("{name}/relu"), &sum);
    }
    Ok(read)
}

/// A 3 × 3 convolution of each channel by itself, then a 1 × 1 one across channels with bias.
fn separable(
    graph: &mut Graph,
    tensors: &mut Tensors,
    name: &str,
    input: &Wire,
    [from, to]: [usize; 2],
    stride: usize,
) -> Result<Wire, Error> {
    let depthwise = tensors.take(&format!("{name}/depthwise_filter"), &[3, 3, from, 1])?;
    let depthwise = Kernel {
        shape: [from, 1, 3, 3],
        // (height, width, channel, 1) and (height, width, 1, out) lie alike in memory.
        weights: out_first(&depthwise.values, [3, 3, 1, from]),
        bias: None,
        groups: from,
    };
    let pointwise = tensors.take(&format!("{name}/pointwise_filter"), &[1, 1, from, to])?;
    let pointwise = Kernel {
        shape: [to, from, 1, 1],
        weights: out_first(&pointwise.values, [1, 1, from, to]),
        bias: Some(tensors.take(&format!("{name}/bias"), &[to])?.values),
        groups: 1,
    };
    let out = graph.conv(
        &format!("{name}/depthwise"),
        input,
        &depthwise,
        stride,
        Padding::Same,
    );
    Ok(graph.conv(name, &out, &pointwise, 1, Padding::Valid))
}

/// A convolution with bias; the shape is TensorFlow's.
fn plain_kernel(tensors: &mut Tensors, name: &str, shape: [usize; 4]) -> Result<Kernel, Error> {
    let [height, width, from, to] = shape;
    let filters = tensors.take(&format!("{name}/filters"), &shape)?;
    Ok(Kernel {
        shape: [to, from, height, width],
        weights: out_first(&filters.values, shape),
        bias: Some(tensors.take(&format!("{name}/bias"), &[to])?.values),
        groups: 1,
    })
}

/// A convolution with bias whose outputs are then scaled and shifted; both are folded in.
fn scaled_kernel(tensors: &mut Tensors, name: &str, shape: [usize; 4]) -> Result<Kernel, Error> {
    let [height, width, from, to] = shape;
    let conv = format!("{name}/conv");
    let mut kernel = plain_kernel(tensors, &conv, shape)?;
    let scales = tensors
        .take(&format!("{name}/scale/weights"), &[to])?
        .values;
    let shifts = tensors.take(&format!("{name}/scale/biases"), &[to])?.values;
    for (weights, scale) in kernel
        .weights
        .chunks_exact_mut(from * height * width)
        .zip(&scales)
    {
        for weight in weights {
            *weight *= scale;
        }
    }
    for (bias, (scale, shift)) in kernel
        .bias
        .iter_mut()
        .flatten()
        .zip(scales.iter().zip(&shifts))
    {
        *bias = *bias * scale + shift;
    }
    Ok(kernel)
}

/// (height, width, in, out) to (out, in, height, width).
fn out_first(values: &[f32], [height, width, from, to]: [usize; 4]) -> Vec<f32> {
    let mut turned = Vec::with_capacity(values.len());
    for o in 0..to {
        for i in 0..from {
            for pixel in 0..height * width {
                turned.push(values[(pixel * from + i) * to + o]);
            }
        }
    }
    turned
}
