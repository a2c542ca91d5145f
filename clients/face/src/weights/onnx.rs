//! A small writer of ONNX graphs (operator set 13), for the dozen operators that the nets use.

use prost::Message as _;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto,
    attribute_proto::AttributeType,
    tensor_proto::DataType,
    tensor_shape_proto::{Dimension, dimension},
    type_proto,
};

const OPERATOR_SET: i64 = 13;
/// The file format version that came with operator set 13 (ONNX 1.8).
const IR_VERSION: i64 = 7;

/// A value that flows between nodes, by its name in the graph.
#[derive(Clone)]
pub(super) struct Wire(String);

/// A graph with one input, `input`, and one output, `output`.
pub(super) struct Graph {
    proto: GraphProto,
}

/// How a window moves over its input.
#[derive(Clone, Copy)]
pub(super) enum Padding {
    /// No padding: the window stays inside.
    Valid,
    /// As much padding as gives ⌈side / stride⌉ outputs, the odd pixel below and right.
    Same,
}

/// A kernel with its bias, in ONNX's order of dimensions (out, in per group, height, width).
pub(super) struct Kernel {
    pub shape: [usize; 4],
    pub weights: Vec<f32>,
    pub bias: Option<Vec<f32>>,
    pub groups: usize,
}

impl Graph {
    /// Starts a graph whose input is one RGB picture with planes of `side` × `side` pixels.
    pub fn new(name: &str, side: usize) -> (Self, Wire) {
        let graph = Self {
            proto: GraphProto {
                name: name.to_owned(),
                input: vec![tensor_info("input", &[1, 3, side, side])],
                ..GraphProto::default()
            },
        };
        (graph, Wire("input".to_owned()))
    }

    /// Ends the graph with its output and gives the bytes of an ONNX file.
    pub fn finish(mut self, output: &Wire, shape: &[usize]) -> Vec<u8> {
        self.proto.node.push(NodeProto {
            op_type: "Identity".to_owned(),
            name: "output".to_owned(),
            input: vec![output.0.clone()],
            output: vec!["output".to_owned()],
            ..NodeProto::default()
        });
        self.proto.output = vec![tensor_info("output", shape)];
        ModelProto {
            ir_version: IR_VERSION,
            producer_name: "blindprint-face".to_owned(),
            opset_import: vec![OperatorSetIdProto {
                domain: String::new(),
                version: OPERATOR_SET,
            }],
            graph: Some(self.proto),
            ..ModelProto::default()
        }
        .encode_to_vec()
    }

    /// `(input − mean) / 255`, channel by channel.
    pub fn normalise(&mut self, input: &Wire, mean: [f32; 3]) -> Wire {
        let mean = self.floats("mean", &[1, 3, 1, 1], &mean);
        let range = self.floats("range", &[1, 1, 1, 1], &[255.0]);
        let centred = self.node("Sub", "centred", &[input, &mean], vec![]);
        self.node("Div", "normalised", &[&centred, &range], vec![])
    }

    pub fn conv(
        &mut self,
        name: &str,
        input: &Wire,
        kernel: &Kernel,
        stride: usize,
        padding: Padding,
    ) -> Wire {
        let weights = self.floats(&format!("{name}/weights"), &kernel.shape, &kernel.weights);
        let mut inputs = vec![input, &weights];
        let bias = kernel
            .bias
            .as_ref()
            .map(|bias| self.floats(&format!("{name}/bias"), &[bias.len()], bias));
        inputs.extend(&bias);
        let [_, _, height, width] = kernel.shape;
        let mut attributes = window([height, width], stride, padding);
        attributes.push(int("group", kernel.groups));
        self.node("Conv", name, &inputs, attributes)
    }

    pub fn max_pool(
        &mut self,
        name: &str,
        input: &Wire,
        side: usize,
        stride: usize,
        padding: Padding,
    ) -> Wire {
        let attributes = window([side, side], stride, padding);
        self.node("MaxPool", name, &[input], attributes)
    }

    pub fn average_pool(&mut self, name: &str, input: &Wire, side: usize, stride: usize) -> Wire {
        let attributes = window([side, side], stride, Padding::Valid);
        self.node("AveragePool", name, &[input], attributes)
    }

    /// The mean of each channel, as one row.
    pub fn channel_means(&mut self, name: &str, input: &Wire) -> Wire {
        let means = self.node(
            "GlobalAveragePool",
            &format!("{name}/pool"),
            &[input],
            vec![],
        );
        self.node("Flatten", name, &[&means], vec![])
    }

    /// `input · weights + bias` for a row, with weights of shape (inputs, outputs).
    pub fn fully_connected(
        &mut self,
        name: &str,
        input: &Wire,
        shape: [usize; 2],
        weights: &[f32],
        bias: Option<&[f32]>,
    ) -> Wire {
        let weights = self.floats(&format!("{name}/weights"), &shape, weights);
        let product = self.node(
            "MatMul",
            &format!("{name}/product"),
            &[input, &weights],
            vec![],
        );
        let Some(bias) = bias else { return product };
        let bias = self.floats(&format!("{name}/bias"), &[1, shape[1]], bias);
        self.node("Add", name, &[&product, &bias], vec![])
    }

    /// Zeros after the last channel, below and right.
    pub fn pad(&mut self, name: &str, input: &Wire, channels: usize, side: usize) -> Wire {
        let pads = [0, 0, 0, 0, 0, channels, side, side];
        let pads = self.initializer(TensorProto {
            name: format!("{name}/pads"),
            dims: vec![8],
            data_type: DataType::Int64.into(),
            raw_data: pads
                .iter()
                .flat_map(|&pad| dimension(pad).to_le_bytes())
                .collect(),
            ..TensorProto::default()
        });
        self.node("Pad", name, &[input, &pads], vec![])
    }

    pub fn add(&mut self, name: &str, left: &Wire, right: &Wire) -> Wire {
        self.node("Add", name, &[left, right], vec![])
    }

    pub fn relu(&mut self, name: &str, input: &Wire) -> Wire {
        self.node("Relu", name, &[input], vec![])
    }

    pub fn leaky_relu(&mut self, name: &str, input: &Wire, slope: f32) -> Wire {
        let slope = AttributeProto {
            name: "alpha".to_owned(),
            r#type: AttributeType::Float.into(),
            f: slope,
            ..AttributeProto::default()
        };
        self.node("LeakyRelu", name, &[input], vec![slope])
    }

    fn node(
        &mut self,
        operator: &str,
        name: &str,
        inputs: &[&Wire],
        attribute: Vec<AttributeProto>,
    ) -> Wire {
        self.proto.node.push(NodeProto {
            op_type: operator.to_owned(),
            name: name.to_owned(),
            input: inputs.iter().map(|wire| wire.0.clone()).collect(),
            output: vec![name.to_owned()],
            attribute,
            ..NodeProto::default()
        });
        Wire(name.to_owned())
    }

    fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Wire {
        self.initializer(TensorProto {
            name: name.to_owned(),
            dims: shape.iter().map(|&side| dimension(side)).collect(),
            data_type: DataType::Float.into(),
            raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            ..TensorProto::default()
        })
    }

    fn initializer(&mut self, tensor: TensorProto) -> Wire {
        let wire = Wire(tensor.name.clone());
        self.proto.initializer.push(tensor);
        wire
    }
}

fn dimension(side: usize) -> i64 {
    i64::try_from(side).expect("tensors' sides are small")
}

fn tensor_info(name: &str, shape: &[usize]) -> ValueInfoProto {
    let dim = shape
        .iter()
        .map(|&side| Dimension {
            value: Some(dimension::Value::DimValue(dimension(side))),
            ..Dimension::default()
        })
        .collect();
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(type_proto::Tensor {
                elem_type: DataType::Float.into(),
                shape: Some(TensorShapeProto { dim }),
            })),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}

fn int(name: &str, value: usize) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Int.into(),
        i: dimension(value),
        ..AttributeProto::default()
    }
}

fn ints(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Ints.into(),
        ints: values.iter().map(|&value| dimension(value)).collect(),
        ..AttributeProto::default()
    }
}

fn window(sides: [usize; 2], stride: usize, padding: Padding) -> Vec<AttributeProto> {
    let auto_pad = match padding {
        Padding::Valid => "VALID",
        Padding::Same => "SAME_UPPER",
    };
    vec![
        ints("kernel_shape", &sides),
        ints("strides", &[stride, stride]),
        AttributeProto {
            name: "auto_pad".to_owned(),
            r#type: AttributeType::String.into(),
            s: auto_pad.as_bytes().to_vec(),
            ..AttributeProto::default()
        },
    ]
}
