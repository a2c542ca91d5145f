//! The dashboard: who gets in, how they stay in, and what they may do there.

mod account;
mod browser;
mod gate;
mod matrix;
mod pages;
mod people;
mod records;

use browser::Browser;
