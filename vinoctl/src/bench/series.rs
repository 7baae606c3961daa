//! Repetitions of one measurement, and of two that are compared.

/// What repetitions of a measurement came to, sorted; never empty.
#[derive(Clone, Debug)]
pub(super) struct Series {
    sorted: Vec<f64>,
}

/// Two measurements that took turns, so that what changes on the machine changes for both.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// What is measured.
    pub(super) subject: Series,
    /// What it is compared with.
    pub(super) baseline: Series,
    /// The first divided by the second, turn by turn.
    pub(super) ratio: Series,
    /// The first less the second, turn by turn.
    pub(super) difference: Series,
}

impl Series {
    /// Sorts what was measured.
    ///
    /// # Panics
    ///
    /// If nothing was.
    pub(super) fn of(mut values: Vec<f64>) -> Series {
        assert!(!values.is_empty(), "a series has at least one repetition");
        values.sort_by(f64::total_cmp);
        Series { sorted: values }
    }

    /// A single measurement.
    pub(super) fn single(value: f64) -> Series {
        Series {
            sorted: vec![value],
        }
    }

    /// The middle; of an even number, the upper of the middle two.
    pub(super) fn median(&self) -> f64 {
        self.sorted[self.sorted.len() / 2]
    }

    /// What `part` in `whole` repetitions did not exceed.
    pub(super) fn quantile(&self, part: usize, whole: usize) -> f64 {
        let index = (self.sorted.len() * part / whole).min(self.sorted.len() - 1);
        self.sorted[index]
    }

    /// The largest.
    pub(super) fn max(&self) -> f64 {
        self.sorted[self.sorted.len() - 1]
    }

    /// How many repetitions there were.
    pub(super) fn len(&self) -> usize {
        self.sorted.len()
    }
}

impl Pair {
    /// Compares the turns.
    ///
    /// # Panics
    ///
    /// If there were none, or not as many of one as of the other.
    pub(super) fn of(subject: Vec<f64>, baseline: Vec<f64>) -> Pair {
        assert_eq!(subject.len(), baseline.len(), "both took the same turns");
        let turns = || subject.iter().zip(&baseline);
        let ratio = turns().map(|(one, other)| one / other).collect();
        let difference = turns().map(|(one, other)| one - other).collect();
        Pair {
            ratio: Series::of(ratio),
            difference: Series::of(difference),
            subject: Series::of(subject),
            baseline: Series::of(baseline),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn the_median_is_not_moved_by_an_outlier() {
        assert!(near(Series::of(vec![3.0, 1.0, 1e6]).median(), 3.0));
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let series = Series::of((1..=100).map(f64::from).collect());
        assert!(near(series.quantile(1, 4), 26.0));
        assert!(near(series.quantile(99, 100), 100.0));
        assert!(near(series.max(), 100.0));
        assert!(near(Series::single(7.0).quantile(1, 1), 7.0));
    }

    #[test]
    fn turns_are_compared_before_they_are_sorted() {
        let pair = Pair::of(vec![2.0, 40.0, 6.0], vec![1.0, 20.0, 3.0]);
        assert!(near(pair.ratio.quantile(0, 1), 2.0) && near(pair.ratio.max(), 2.0));
        assert!(near(pair.difference.median(), 3.0));
    }
}
