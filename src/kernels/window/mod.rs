//! Windows that move over images: convolutions and pools.

mod block;
mod conv;
mod pack;
mod pool;
mod transpose;

pub(crate) use self::conv::{
    Convolution, conv, conv_input, conv_input_scratch, conv_scratch, conv_weight, conv_weight_scratch,
};
pub(crate) use self::pool::{
    Divisor, Pooling, ShareAmongFour as WindowElement, avg_pool, avg_unpool, max_gather, max_pool, max_unpool,
};
