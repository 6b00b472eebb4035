//! The pipeline under a toy machine and a toy store, so that every branch can be driven by hand.
mod before;
mod chaos;
mod faults;
mod owing;
mod rig;
mod straight;
mod toy;
